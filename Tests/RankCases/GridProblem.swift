import Data
import Kernels
import MPI
import Model
import Optimization
import Parallel

/// A case for every grid that the tests use, `NAME-PIPELINExTENSOR`; the data degree is what the number of ranks leaves.
func gridCases(_ name: String, _ body: @escaping @Sendable (ProcessGrid) throws -> Void) -> [RankCase] {
  (1...8).flatMap { pipeline in
    (1...4).map { tensor in
      RankCase("\(name)-\(pipeline)x\(tensor)") { world in
        guard let shape = GridShape(ranks: world.size, pipeline: pipeline, tensor: tensor) else {
          throw CaseFailure("\(world.size) ranks are no grid of \(pipeline) x \(tensor)", exitCode: 64)
        }
        try body(try ProcessGrid(shape, world: world))
      }
    }
  }
}

/// 69 rows of 6 numbers without a pattern, of many magnitudes, so that every other order of a sum gives other bits; 4 classes.
/// - Parameter isBroken: row 40 has no number.
func scatteredDataset(world: borrowing Communicator, isBroken: Bool = false) throws -> ShardedDataset {
  try numberedDataset(
    shards: unevenShards, columns: 6, classes: 4, world: world, name: isBroken ? "broken" : "shards"
  ) { row, column in
    if isBroken, row == 40 { return .nan }
    let mixed = UInt32(truncatingIfNeeded: row &* 2_654_435_761 &+ column &* 40_503 &+ 12_345) &* 2_246_822_519
    return (Float(mixed >> 8) / Float(1 << 23) - 1) * Float(1 << (row % 5))
  }
}

/// What a training is but for its layout.
struct LayoutSettings {
  var mode = GradientReduction.ordered
  var virtualRanks = 7
  var batchRows = 25
  var microBatches = 3
  var shardsOptimizer = false
  var clipNorm = 0.0
  var shuffle = true
  var optimizer = OptimizerKind.adam
  /// The most ranks of the grid that count as one node and share memory; 0 where none do.
  var ranksPerNode = 0
  var wire = Wire()

  /// The node of each rank of a grid; empty where none share memory.
  func nodes(_ ranks: Int) -> [Int] { ranksPerNode == 0 ? [] : (0..<ranks).map { $0 / ranksPerNode } }

  /// Which of so many ranks that hold the whole model share memory.
  func nodeMap(_ ranks: Int) -> NodeMap? {
    if let map = NodeMap(nodes(ranks)) { return map }
    return shardsOptimizer && wire.precision != .float32 && ranks > 1 ? NodeMap(apart: ranks) : nil
  }

  /// The same where numbers go as they are.
  var exact: LayoutSettings {
    var exact = self
    exact.wire = Wire()
    return exact
  }

  /// One of the layers has tensors of several blocks of the norm.
  var model: Model {
    get throws { try Model(kind: .mlp, sizes: [6, 70, 131, 7, 9, 5, 8, 6, 4], activation: .gelu, loss: .softmax) }
  }

  static let all: [LayoutSettings] = [
    LayoutSettings(),
    LayoutSettings(clipNorm: 0.05),
    LayoutSettings(shardsOptimizer: true),
    LayoutSettings(shardsOptimizer: true, clipNorm: 0.05),
    LayoutSettings(virtualRanks: 1, microBatches: 8, shardsOptimizer: true, clipNorm: 0.05),
    LayoutSettings(virtualRanks: 2, microBatches: 1),
    // More micro-batches than rows, and virtual ranks without a row.
    LayoutSettings(virtualRanks: 12, batchRows: 10, microBatches: 6, shardsOptimizer: true, clipNorm: 0.05),
    LayoutSettings(mode: .fast, microBatches: 4, clipNorm: 0.05),
    LayoutSettings(mode: .fast, virtualRanks: 12, microBatches: 1, shardsOptimizer: true, clipNorm: 0.05),
    // One node for all, and nodes of different sizes.
    LayoutSettings(ranksPerNode: 99),
    LayoutSettings(virtualRanks: 8, shardsOptimizer: true, clipNorm: 0.05, ranksPerNode: 99),
    LayoutSettings(virtualRanks: 2, microBatches: 1, optimizer: .ftrl, ranksPerNode: 99),
    LayoutSettings(virtualRanks: 13, batchRows: 10, microBatches: 6, optimizer: .momentum, ranksPerNode: 2),
    LayoutSettings(virtualRanks: 1, microBatches: 8, optimizer: .adamw, ranksPerNode: 2),
    LayoutSettings(virtualRanks: 12, clipNorm: 0.05, optimizer: .rmsprop, ranksPerNode: 3),
    LayoutSettings(optimizer: .adagrad, ranksPerNode: 4),
    LayoutSettings(optimizer: .sgd, ranksPerNode: 3),
    LayoutSettings(optimizer: .nesterov, ranksPerNode: 5),
    LayoutSettings(mode: .fast, microBatches: 4, clipNorm: 0.05, ranksPerNode: 99),
    LayoutSettings(mode: .fast, virtualRanks: 12, microBatches: 1, ranksPerNode: 3),
    // Messages of a few numbers.
    LayoutSettings(virtualRanks: 12, ranksPerNode: 2, wire: Wire(portionBytes: 4_000)),
  ]

  /// Sums that go rounded from node to node.
  static let rounded: [LayoutSettings] = [
    LayoutSettings(wire: Wire(.bfloat16)),
    LayoutSettings(clipNorm: 0.05, optimizer: .momentum, wire: Wire(.bfloat16, portionBytes: 1_000)),
    LayoutSettings(mode: .fast, microBatches: 1, wire: Wire(.bfloat16)),
    LayoutSettings(virtualRanks: 1, wire: Wire(.bfloat16)),
    // Each rank a node of its own, that updates its slice alone.
    LayoutSettings(shardsOptimizer: true, clipNorm: 0.05, wire: Wire(.bfloat16)),
    LayoutSettings(virtualRanks: 12, ranksPerNode: 2, wire: Wire(.bfloat16)),
    LayoutSettings(optimizer: .ftrl, ranksPerNode: 3, wire: Wire(.bfloat16, portionBytes: 1_000)),
    LayoutSettings(mode: .fast, optimizer: .sgd, ranksPerNode: 2, wire: Wire(.bfloat16)),
  ]
}

/// A training on a grid.
struct GridProblem {
  let strategy: ModelParallel
  let plan: StepPlan

  /// - Parameter classes: labels from this on are refused.
  init(_ settings: LayoutSettings, _ dataset: ShardedDataset, _ grid: ProcessGrid, classes: Int = 4) throws {
    let model = try settings.model
    let place = grid.place
    let order = dataset.order(virtualRanks: settings.virtualRanks, seed: 3, shuffle: settings.shuffle)
    plan = StepPlan(
      model: model, shape: grid.shape,
      stages: PipelineStages.balanced(sizes: model.sizes, stages: grid.shape.pipeline), order: order,
      mode: settings.mode, batchRows: settings.batchRows, microBatches: MicroBatches(count: settings.microBatches),
      shardsOptimizer: settings.shardsOptimizer, nodes: settings.nodes(grid.shape.ranks), wire: settings.wire)
    let run = VirtualRanks(count: settings.virtualRanks, ranks: place.data.count).run(by: place.data.index)
    let reader = try BatchReader(
      dataset: dataset, order: order, virtualRanks: run, targetUse: .classIndex(classes: classes), parts: place.reads)
    strategy = try ModelParallel(
      model: model, stages: plan.stages, order: order, reader: place.reads.isEmpty ? nil : reader, grid: grid,
      mode: plan.mode, batchRows: plan.batchRows, microBatches: plan.microBatches,
      shardsOptimizer: plan.shardsOptimizer, nodes: plan.nodeMap(at: place), wire: plan.wire)
    let stage = try plan.stage(at: place)
    strategy.replaceParameters { stage.initialize(&$0, seed: 2) }
  }
}
