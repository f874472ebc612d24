import Data
import Failures
import Files
import Model
public import Optimization
public import Parallel
import Text

/// The bytes that a rank will hold in a training.
public struct MemoryPlan: Sendable {
  /// Those that ranks of a node share count on the first of them.
  public let weights: Int
  public let gradients: Int
  public let moments: Int
  public let activations: Int
  /// What is on its way between ranks.
  public let buffers: Int
  /// Windows of rows and the batch.
  public let rows: Int
  /// The copy that checkpoints are written from.
  public let checkpoint: Int

  /// Of the other ranks of the node, in memory that this one sees as well: they take addresses, but nothing else.
  let others: Int

  public var total: Int { weights + gradients + moments + activations + buffers + rows + checkpoint }

  /// `2.7 KiB: weights 72 B, ...`
  public var text: String {
    let parts = [
      ("weights", weights), ("gradients", gradients), ("moments", moments), ("activations", activations),
      ("buffers", buffers), ("rows", rows), ("checkpoint", checkpoint),
    ]
    return "\(Text.bytes(total)): " + parts.map { "\($0.0) \(Text.bytes($0.1))" }.joined(separator: ", ")
  }

  /// Addresses that are taken beside what is planned: OpenBLAS maps 128 MiB for its first product of matrices, and messages take some.
  private static let reserve = 144 << 20

  /// Throws where the rank's address space, or the memory of its machine, cannot hold the plan.
  /// - Parameters:
  ///   - neededBytes: what all ranks of the machine take together.
  ///   - ranks: of the machine.
  func check(neededBytes: Double, ranks: Int) throws {
    if let space = Machine.addressSpace, total + others > space.limit - space.used - Self.reserve {
      throw failure(
        "\(Machine.hostName) lets a rank map \(Text.bytes(space.limit)) (ulimit -v), of which "
          + "\(Text.bytes(max(0, space.limit - space.used - Self.reserve))) are left")
    }
    let physical = Machine.physicalMemoryBytes
    if physical > 0, neededBytes > Double(physical) {
      throw failure(
        "\(Machine.hostName) has \(Text.bytes(physical)) for \(ranks) \(ranks == 1 ? "rank" : "ranks")")
    }
  }

  private func failure(_ there: String) -> Failure {
    Failure(
      .unavailable, "not enough memory: a rank takes \(text); \(there)",
      hint: "share the model among more ranks (parallel.pipeline, parallel.tensor, parallel.shard_optimizer), "
        + "run fewer ranks a machine, or choose fewer parallel.virtual_ranks")
  }

  /// - Parameters:
  ///   - keepsBest: the parameters of the best validation are kept beside.
  ///   - saves: checkpoints are written while the training goes on.
  ///   - scoredRows: the most rows that are validated at a time.
  ///   - leavesRowsOut: rows with numbers that are not finite are left out.
  ///   - pulls: weights are held to what they were, for which three numbers of each are kept.
  /// - Throws: `ModelError` where a layer cannot be cut so.
  public init(
    _ step: StepPlan, at place: GridPlace, optimizer: OptimizerKind, keepsBest: Bool, saves: Bool, scoredRows: Int,
    leavesRowsOut: Bool = false, pulls: Bool = false
  ) throws {
    // What no machine has is still a number: a plan that is refused must not trap.
    func bytes(_ floats: Int, times factor: Int = 1) -> Int {
      let (count, isTooLarge) = floats.multipliedReportingOverflow(by: factor)
      let (product, isTooLargeInBytes) = count.multipliedReportingOverflow(by: 4)
      return isTooLarge || isTooLargeInBytes ? Int.max / 16 : min(product, Int.max / 16)
    }
    let floats = try step.memory(at: place)
    let (held, owned) = (try step.stage(at: place).layout.count, try step.owned(at: place).count)
    weights = bytes(floats.parameters) + (keepsBest ? bytes(held) : 0) + (pulls ? bytes(held, times: 3) : 0)
    others = bytes(floats.others)
    let stateNames = Optimizer.stateNames(optimizer)
    moments = bytes(owned, times: stateNames.count)
    // Ranks that hold the same write it in equal parts.
    let (share, momentShare) = (held / place.data.count + 1, owned == held ? held / place.data.count + 1 : owned)
    checkpoint = saves ? bytes(share, times: keepsBest ? 2 : 1) + bytes(momentShare, times: stateNames.count) : 0
    gradients = bytes(floats.gradients)
    buffers = bytes(floats.buffers)
    let scoring = scoredRows > 0 ? try step.scorerFloats(at: place, rows: scoredRows) : 0
    activations = bytes(floats.activations) + bytes(scoring)
    let order = step.order
    let run = VirtualRanks(count: order.virtualRanks, ranks: place.data.count).run(by: place.data.index)
    let windows = run.reduce(0) { $0 + order.largestWindow(ofVirtualRank: $1) }
    let batch = min(order.largestShare(batch: step.batchRows), MicroBatches.rowsPerPass)
    let reads = place.reads(leavingRowsOut: leavesRowsOut)
    let columns = reads.contains(.features) ? step.model.inputs : 0
    let targets = reads.contains(.targets) ? step.model.targetsPerRow : 0
    rows = bytes(windows + batch, times: columns + targets)
  }
}
