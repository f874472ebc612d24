import Data
import Kernels
import MPI
import Model
import Optimization
import Parallel

/// Trainings on grids of ranks, against the same training by a rank alone.
let layoutCases = gridCases("layout") { grid in
  let dataset = try scatteredDataset(world: grid.world)
  for (index, settings) in LayoutSettings.all.enumerated() { try compare(settings, index, dataset, grid) }
}

/// Trains on the grid and alone, and expects the same parameters, losses, norms and scores: bit for bit where that is promised.
private func compare(
  _ settings: LayoutSettings, _ index: Int, _ dataset: ShardedDataset, _ grid: ProcessGrid
) throws {
  let expected = try trainAlone(settings, dataset, grid)
  try compare(try trainOnGrid(settings, dataset, grid), expected, settings, grid)
  if grid.shape.modelRanks == 1 {
    try compare(try trainWhole(settings, dataset, grid.data), expected, settings, grid)
    // One size of buckets for each of the settings: many buckets for a tensor, several tensors in a bucket, one bucket.
    let overlap = Overlap(sliceBytes: [100, 4_000, 1_000_000][index % 3])
    try compare(try trainWhole(settings, dataset, grid.data, overlap: overlap), expected, settings, grid)
  }
}

private func compare(
  _ trained: Trained, _ expected: [Double], _ settings: LayoutSettings, _ grid: ProcessGrid
) throws {
  let what = "\(grid.shape), \(settings)"
  try expect(trained.values.count, expected.count, "numbers of \(what)")
  let isExact = grid.shape.tensor == 1 && (settings.mode == .ordered || grid.shape.data == 1)
  for (index, (value, truth)) in zip(trained.values, expected).enumerated() {
    if isExact ? value.bitPattern != truth.bitPattern : !(abs(value - truth) <= 2e-4 * max(1, abs(truth))) {
      throw CaseFailure("\(what): number \(index) is \(value) instead of \(truth)")
    }
  }
  if trained.splitsUpdate {
    let all = try grid.data.allGather(trained.owned).reduce(0, +)
    try expect(all, trained.held, "parameters that the ranks of a data group own in \(what)")
  }
}

/// What the first rank finds when it trains alone; all ranks doing so would only take each other's processors.
func trainAlone(_ settings: LayoutSettings, _ dataset: ShardedDataset, _ grid: ProcessGrid) throws -> [Double] {
  guard let alone = try grid.world.split(color: grid.world.rank, key: 0) else { throw CaseFailure("no rank alone") }
  return try grid.world.broadcast(
    grid.world.rank == 0 ? try trainWhole(settings, dataset, alone).values : [], root: 0)
}

struct Trained {
  /// Losses, norms, the parameters of the whole model and the loss of all rows at the end.
  var values: [Double] = []
  var splitsUpdate = false
  var owned = 0
  var held = 0
}

/// Each of the ranks holds the whole model.
func trainWhole(
  _ settings: LayoutSettings, _ dataset: ShardedDataset, _ ranks: borrowing Communicator, overlap: Overlap? = nil
) throws -> Trained {
  let model = try settings.model
  let order = dataset.order(virtualRanks: settings.virtualRanks, seed: 3, shuffle: true)
  let reader = try BatchReader(
    dataset: dataset, order: order,
    virtualRanks: VirtualRanks(count: settings.virtualRanks, ranks: ranks.size).run(by: ranks.rank),
    targetUse: .classIndex(classes: 4))
  let strategy = try DataParallel(
    model: model, order: order, reader: reader, world: ranks,
    mode: settings.mode, batchRows: settings.batchRows, microBatches: MicroBatches(count: settings.microBatches),
    shardsOptimizer: settings.shardsOptimizer, overlap: overlap,
    nodes: settings.nodeMap(ranks.size), wire: settings.wire)
  strategy.replaceParameters { model.initialize(&$0, seed: 2) }
  var trained = try train(strategy, settings, order)
  trained.values += strategy.withParameters { $0.values().map { Double($0) } }
  trained.values += try scores(strategy, model, dataset)
  trained.splitsUpdate = strategy.splitsUpdate
  trained.owned = strategy.owned.count
  trained.held = strategy.layout.count
  return trained
}

func trainOnGrid(_ settings: LayoutSettings, _ dataset: ShardedDataset, _ grid: ProcessGrid) throws -> Trained {
  let problem = try GridProblem(settings, dataset, grid)
  let (strategy, model, stages) = (problem.strategy, problem.plan.model, problem.plan.stages)
  var trained = try train(strategy, settings, problem.plan.order)
  trained.values += try wholeParameters(strategy, model, stages, grid).map { Double($0) }
  // Only the ranks that read targets know the loss of scores.
  let found = try scores(strategy, model, dataset)
  trained.values += try grid.model.allGather(found).first { !$0.isEmpty } ?? []
  trained.splitsUpdate = strategy.splitsUpdate
  trained.owned = strategy.owned.count
  trained.held = strategy.layout.count
  return trained
}

/// Two epochs with Adam; the losses and norms of the steps.
private func train<Strategy: ParallelStrategy>(
  _ strategy: Strategy, _ settings: LayoutSettings, _ order: SampleOrder
) throws -> Trained {
  var optimizer = Optimizer(
    OptimizerSettings(settings.optimizer), penalty: Penalty(l2: 0.01), layout: strategy.layout,
    owned: strategy.owned)
  var trained = Trained()
  for epoch in 0..<2 {
    for step in 0..<order.steps(batch: settings.batchRows) {
      let positions = order.positions(ofStep: step, batch: settings.batchRows)
      let totals = try strategy.sumGradient(
        epoch: epoch, positions: positions, raised: StepTotals(), needsNorm: settings.clipNorm > 0)
      try expect(totals.rows, positions.count, "rows of a step")
      trained.values.append(totals.lossSum)
      var scale = 1 / Double(totals.rows)
      if settings.clipNorm > 0 {
        trained.values.append(strategy.gradientNorm())
        scale *= clipScale(norm: strategy.gradientNorm() * scale, limit: settings.clipNorm)
      }
      let isFinite = try strategy.update { parameters, gradient, range in
        optimizer.update(
          parameters: &parameters, gradient: gradient, scale: Float(scale), learningRate: 0.01, range: range,
          completesStep: false)
      }
      try expect(isFinite, true, "finite")
      optimizer.steps += 1
    }
  }
  return trained
}

/// The losses of all rows in blocks of 20, where the strategy says that this rank knows them.
private func scores<Strategy: ParallelStrategy>(
  _ strategy: Strategy, _ model: Model, _ dataset: ShardedDataset
) throws -> [Double] {
  let scorer = try strategy.makeScorer(rows: 20)
  let rows = try RowReader(dataset: dataset, targetUse: .classIndex(classes: 4), parts: scorer.reads)
  var losses: [Double] = []
  for start in stride(from: 0, to: dataset.rows, by: 20) {
    try rows.withRows(start..<min(start + 20, dataset.rows)) { features, view, targets, offset in
      _ = try strategy.withParameters { try scorer.score(parameters: $0, features: features, view) }
      if scorer.reads.contains(.targets) {
        losses.append(model.lossSum(scorer.scores, targets: targets, targetsOffset: offset))
      }
    }
  }
  return losses
}

/// The parameters of the whole model, put together from those of all ranks; all copies must be equal.
private func wholeParameters(
  _ strategy: ModelParallel, _ model: Model, _ stages: [Range<Int>], _ grid: ProcessGrid
) throws -> [Float] {
  let parts = try grid.model.allGather(strategy.withParameters { $0.values() })
  var whole = [Float](repeating: .nan, count: model.layout.count)
  for (index, part) in parts.enumerated() {
    let place = grid.shape.place(index)
    for entry in try model.stage(layers: stages[place.pipeline.index], tensor: place.part).layout.entries {
      guard let start = model.layout[entry.name]?.range.lowerBound else { throw CaseFailure("no \(entry.name)") }
      for segment in entry.segments(of: entry.range) {
        for (offset, index) in segment.local.enumerated() {
          let place = start + segment.offset + offset
          if entry.isReplicated, !whole[place].isNaN {
            try expect(part[index], whole[place], "a copy of \(entry.name)")
          }
          whole[place] = part[index]
        }
      }
    }
  }
  let bits = whole.map { Int($0.bitPattern) }
  try expect(try grid.data.allReduce(bits, .maximum), try grid.data.allReduce(bits, .minimum), "copies of the model")
  return whole
}
