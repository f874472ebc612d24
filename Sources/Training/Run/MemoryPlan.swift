import Data
import Failures
import Model
import Optimization
import Parallel
import Text

/// The bytes that a rank will hold in a training; those of the rank that holds most.
public struct MemoryPlan: Sendable {
  public let parameters: Int
  public let gradients: Int
  public let moments: Int
  public let activations: Int
  /// Windows of rows and the batch.
  public let data: Int

  public var total: Int { parameters + gradients + moments + activations + data }

  /// `2.7 KiB: parameters 72 B, ...`
  public var text: String {
    "\(Text.bytes(total)): parameters \(Text.bytes(parameters)), gradients \(Text.bytes(gradients)), "
      + "moments \(Text.bytes(moments)), activations \(Text.bytes(activations)), data \(Text.bytes(data))"
  }

  /// Throws where `ranks` ranks of one machine cannot hold the plan.
  func check(ranks: Int, physicalBytes: Int, host: String) throws {
    guard physicalBytes > 0, total > physicalBytes / ranks else { return }
    throw Failure(
      .unavailable,
      "not enough memory: a rank takes \(text); \(host) has \(Text.bytes(physicalBytes)) for \(ranks) "
        + (ranks == 1 ? "rank" : "ranks"),
      hint: "fewer ranks a machine, a smaller model, or fewer parallel.virtual_ranks")
  }

  init(
    model: Model, optimizer: OptimizerKind, order: SampleOrder, batchRows: Int, columns: Int, ranks: Int,
    mode: GradientReduction, microBatches: MicroBatches, keepsBest: Bool
  ) {
    let virtualRanks = VirtualRanks(count: order.virtualRanks, ranks: ranks)
    // What no machine has is still a number: a plan that is refused must not trap.
    func times(_ one: Int, _ other: Int) -> Int {
      let (product, isTooLarge) = one.multipliedReportingOverflow(by: other)
      return isTooLarge ? Int.max / 8 : min(product, Int.max / 8)
    }
    let bytes = times(4, model.layout.count)
    parameters = times(bytes, keepsBest ? 2 : 1)
    let held = (0..<ranks).map { virtualRanks.run(by: $0) }
    let slots = held.map { GradientSlots.most(virtualRanks: virtualRanks, run: $0, mode: mode) }.max() ?? 1
    gradients = times(bytes, slots)
    moments = times(bytes, Optimizer.stateNames(optimizer).count)
    let rows = microBatches.mostRows(
      share: order.largestShare(batch: batchRows), shares: mode == .fast ? held.map(\.count).max() ?? 1 : 1)
    activations = times(4, Workspace.floats(model.stage, rows: rows))
    let rowBytes = 4 * (columns + model.targetsPerRow)
    let windows = held.map { $0.reduce(0) { $0 + order.largestWindow(ofVirtualRank: $1) } }.max() ?? 0
    data = times(windows + rows, rowBytes)
  }
}
