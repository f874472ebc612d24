import Data
import Failures
import MPI
import Model
import Optimization
public import Parallel
import Text

/// What a training will take, known before it begins.
extension TrainingRun {
  /// What a step takes on each rank.
  public var step: StepPlan { step(nodes: sharingNodes) }

  private func step(nodes: [Int]) -> StepPlan {
    StepPlan(
      model: design.model, shape: shape, stages: stages, order: order, mode: job.reduction, batchRows: plan.batchRows,
      microBatches: microBatches, shardsOptimizer: job.split.shardsOptimizer, overlap: overlap, nodes: nodes,
      wire: wire)
  }

  /// What the rank at `place` will hold.
  public func memory(at place: GridPlace) throws -> MemoryPlan {
    try MemoryPlan(
      step, at: place, optimizer: job.optimizer.kind, keepsBest: job.patience > 0, saves: job.checkpoint.isEnabled,
      scoredRows: scoredRows, pulls: job.from.map { $0.elastic > 0 } ?? false)
  }

  /// What the rank at `place` says in a step.
  public func traffic(at place: GridPlace) throws -> StepTraffic {
    try step.traffic(at: place, needsNorm: job.clipNorm > 0)
  }

  /// What is said of a pipeline that is too deep for its micro-batches: more than half of it would wait.
  public var bubbleWarning: String? {
    guard shape.pipeline > 1 else { return nil }
    let step = step
    guard step.passes < shape.pipeline else { return nil }
    let advice = Self.deeper(step).map { better in
      "with parallel.micro_batches \(better.microBatches.count) it would be \(Self.percent(better.bubble))"
    }
    return
      "a pipeline of \(shape.pipeline) stages waits \(Self.percent(step.bubble)) of each step, since a rank has "
      + (step.passes == 1 ? "1 micro-batch" : "\(step.passes) micro-batches") + " in it; "
      + (advice ?? "a larger train.batch_size would give it more")
  }

  /// `14 %`
  public static func percent(_ part: Double) -> String { "\(Int((100 * part).rounded())) %" }

  /// The same with more micro-batches, four times as many as there are stages where there are rows enough; nil where more are no use.
  private static func deeper(_ step: StepPlan) -> StepPlan? {
    var best = step
    var count = step.microBatches.count
    while best.passes < 4 * step.shape.pipeline, count <= MicroBatches.rowsPerPass {
      count *= 2
      let more = StepPlan(
        model: step.model, shape: step.shape, stages: step.stages, order: step.order, mode: step.mode,
        batchRows: step.batchRows, microBatches: MicroBatches(count: count), shardsOptimizer: step.shardsOptimizer,
        nodes: step.nodes, wire: step.wire)
      guard more.passes > best.passes else { break }
      best = more
    }
    return best.passes > step.passes ? best : nil
  }

  /// The node of each rank of the grid where the ranks of a node are to share memory and can; empty otherwise, with a warning where they
  /// cannot. Collective.
  func findSharingNodes(world: borrowing Communicator) throws -> [Int] {
    guard job.split.sharesMemory, grid.shape.data > 1, Set(grid.nodes).count < grid.nodes.count else { return [] }
    let node = try world.splitByNode()
    let planned = step(nodes: grid.nodes)
    let windows = try Agreement.alike { try planned.memory(at: grid.place) }
    let own = planned.nodeMap(at: grid.place) == nil ? 0 : 4 * Double(windows.parameters + windows.gradients)
    let needed = try node.allReduce(own, .sum)
    let room = SharedWindow.room.map(Double.init) ?? .infinity
    let least = try world.allReduce(room - needed, .minimum)
    guard least < 0 else { return grid.nodes }
    if world.rank == 0 {
      Self.warn(
        "the memory that ranks of a node can share (/dev/shm, ulimit -f) is too small by \(Text.bytes(Int(-least))), so each keeps a copy of the "
          + "weights; parallel.shared_memory: false says so from the start")
    }
    return []
  }

  /// Throws, on every rank, where some rank cannot hold what it will have to. Collective.
  func checkMemory(world: borrowing Communicator) throws {
    let own = try Agreement.alike { try memory(at: grid.place) }
    let node = try world.splitByNode()
    let needed = try node.allReduce(Double(own.total), .sum)
    let ranks = node.size
    try Agreement.everywhere(world) { try own.check(neededBytes: needed, ranks: ranks) }
  }
}
