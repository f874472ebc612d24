import Data
import Failures
import Files
import Kernels
import MPI
import Model
import Optimization
import Parallel
import Text
import Training

/// Steps of one model with the same global batch on one rank, in a pipeline of all ranks, and with its layers split among all ranks.
///
/// Prints each layout's speed-up over one rank; for the pipeline also its share of the bound P·m / (m + P - 1) that the bubble leaves.
enum LayoutsBenchmark {
  static func run(_ settings: Settings, _ world: borrowing Communicator) throws {
    let problem = try Problem(settings, world)
    let rounds = try settings.integer("rounds", default: 3)
    var layouts = [try Layout(problem, "one rank", GridShape(data: 1), world)]
    if world.size > 1 {
      layouts.append(try Layout(problem, "pipeline", GridShape(data: 1, pipeline: world.size), world))
      layouts.append(try Layout(problem, "tensor", GridShape(data: 1, tensor: world.size), world))
    }
    // In turn, so that a machine that is busy for a while is so for all.
    for _ in 0..<rounds {
      for layout in layouts { try layout.measure(problem.steps, world) }
    }
    if world.rank == 0 { try FileSystem.removeTree(problem.directory) }
    for layout in layouts { try layout.tell(layouts[0], problem, world) }
  }
}

/// The model and the rows.
private struct Problem {
  let model: Model
  let dataset: ShardedDataset
  let order: SampleOrder
  let directory: String
  let batchRows: Int
  let microBatches: MicroBatches
  let steps: Int

  init(_ settings: Settings, _ world: borrowing Communicator) throws {
    let sizes = try settings.layers(default: "1024,2048,2048,2048,1024")
    batchRows = try settings.integer("batch", default: 1024)
    microBatches = MicroBatches(count: try settings.integer("micro-batches", default: 8))
    steps = try settings.integer("steps", default: 4)
    let classes = max(sizes[sizes.count - 1], 2)
    directory = try SyntheticShards.shared(rows: batchRows, columns: sizes[0], classes: classes, shards: 1, world)
    dataset = try OpenedDataset(DataSource(path: FileSystem.join(directory, "data")), world: world).dataset
    order = dataset.order(virtualRanks: 1, seed: 1, shuffle: false)
    model = try Model(
      kind: sizes.count > 2 ? .mlp : .softmax, sizes: sizes, activation: .relu, loss: .softmax)
  }

  func plan(_ shape: GridShape) -> StepPlan {
    StepPlan(
      model: model, shape: shape, stages: PipelineStages.balanced(sizes: model.sizes, stages: shape.pipeline),
      order: order, mode: .ordered, batchRows: batchRows, microBatches: microBatches)
  }

  func reader(_ parts: RowParts) throws -> BatchReader {
    try BatchReader(
      dataset: dataset, order: order, virtualRanks: 0..<1, targetUse: .classIndex(classes: model.outputs), parts: parts)
  }
}

/// One way to share the model, and what its steps took.
private final class Layout {
  private let name: String
  private let shape: GridShape
  /// A step, and the seconds that this rank has waited for others so far; nil on ranks that are not needed.
  private let step: (() throws -> Void)?
  private let waited: () -> Double
  private var seconds: [Double] = []
  private var secondsWaiting = 0.0

  /// Collective.
  init(_ problem: Problem, _ name: String, _ shape: GridShape, _ world: borrowing Communicator) throws {
    self.name = name
    self.shape = shape
    guard let group = try world.split(color: world.rank < shape.ranks ? 0 : nil, key: world.rank) else {
      (step, waited) = (nil, { 0 })
      return
    }
    if shape.ranks == 1 {
      let strategy = try DataParallel(
        model: problem.model, order: problem.order, reader: try problem.reader(.all), world: group, mode: .ordered,
        batchRows: problem.batchRows, microBatches: problem.microBatches)
      let steps = Steps(strategy, problem.model.stage, problem.batchRows)
      (step, waited) = (steps.step, { strategy.secondsWaiting })
    } else {
      let grid = try ProcessGrid(shape, world: group)
      let plan = problem.plan(shape)
      let strategy = try ModelParallel(
        model: problem.model, stages: plan.stages, order: problem.order,
        reader: grid.place.reads.isEmpty ? nil : try problem.reader(grid.place.reads), grid: grid, mode: .ordered,
        batchRows: problem.batchRows, microBatches: problem.microBatches)
      let steps = Steps(strategy, try plan.stage(at: grid.place), problem.batchRows)
      (step, waited) = (steps.step, { strategy.secondsWaiting })
    }
    // The first step makes room.
    try step?()
  }

  /// Makes `count` steps. Collective; ranks that are not needed wait.
  func measure(_ count: Int, _ world: borrowing Communicator) throws {
    let before = waited()
    for _ in 0..<count {
      try world.barrier()
      let start = ContinuousClock.now
      try step?()
      try world.barrier()
      seconds.append((ContinuousClock.now - start) / .seconds(1))
    }
    secondsWaiting += waited() - before
  }

  private var median: Double { seconds.sorted()[seconds.count / 2] }

  /// Prints what was measured, on rank 0. Collective.
  func tell(_ alone: Layout, _ problem: Problem, _ world: borrowing Communicator) throws {
    let waiting = try world.allGather(secondsWaiting / Double(seconds.count))
    let traffic = shape.ranks == 1 ? StepTraffic() : try problem.plan(shape).traffic()
    guard world.rank == 0 else { return }
    let speedup = alone.median / median
    var line = "\(name): step \(fixed(median * 1e3, decimals: 1)) ms, \(fixed(speedup, decimals: 2)) times one rank"
    if shape.pipeline > 1 {
      let (stages, passes) = (Double(shape.pipeline), Double(problem.plan(shape).passes))
      let bound = stages * passes / (passes + stages - 1)
      line += " (\(fixed(speedup / bound, decimals: 2)) of the \(fixed(bound, decimals: 2)) that the bubble leaves)"
    }
    if shape.ranks > 1 {
      let times = waiting.prefix(shape.ranks).map { fixed($0 * 1e3, decimals: 1) }
      let bytes = traffic.messages.bytes + traffic.collectives.bytes
      line += ", waiting \(times.joined(separator: ", ")) ms, \(Text.bytes(bytes)) sent in"
      line += " \(traffic.messages.messages) messages and \(traffic.collectives.messages) collective calls"
    }
    StandardStream.output.write(line + "\n")
  }
}

/// A training on the same rows again and again.
private final class Steps<Strategy: ParallelStrategy> {
  private let strategy: Strategy
  private let batchRows: Int
  private var optimizer: Optimizer

  init(_ strategy: Strategy, _ stage: Stage, _ batchRows: Int) {
    self.strategy = strategy
    self.batchRows = batchRows
    optimizer = Optimizer(OptimizerSettings(.adam), layout: strategy.layout, owned: strategy.owned)
    strategy.replaceParameters { stage.initialize(&$0, seed: 1) }
  }

  func step() throws {
    let totals = try strategy.sumGradient(
      epoch: 0, positions: 0..<batchRows, raised: StepTotals(), needsNorm: false)
    let isFinite = try strategy.update { parameters, gradient, range in
      optimizer.update(
        parameters: &parameters, gradient: gradient, scale: 1 / Float(totals.rows), learningRate: 1e-4, range: range,
        completesStep: false)
    }
    guard totals.loss.isFinite, isFinite else { throw Failure(.internalError, "the benchmark's training diverges") }
    optimizer.steps += 1
  }
}
