import Data
import Kernels
import MPI
import Model
import Parallel

/// Trainings whose sums go rounded from node to node.
let wireCases =
  gridCases("wire") { grid in
    let dataset = try scatteredDataset(world: grid.world)
    for settings in LayoutSettings.rounded { try compare(settings, dataset, grid) }
  } + [
    RankCase("wireFeedback") { world in
      for ranksPerNode in [0, 1, 2, 3] {
        try checkSums(ranksPerNode: ranksPerNode, world)
        if ranksPerNode > 0, world.size > ranksPerNode { try checkParameters(ranksPerNode: ranksPerNode, world) }
      }
    },
    RankCase("wireAfterFailure") { world in
      for ranksPerNode in [0, 1, 2] { try checkForgetting(ranksPerNode: ranksPerNode, world) }
    },
  ]

/// Trains rounded and not: all copies of the model are equal (as in every training on a grid), the training is like the other and not the
/// same, and neither buckets nor what is computed while they travel change a bit.
private func compare(_ settings: LayoutSettings, _ dataset: ShardedDataset, _ grid: ProcessGrid) throws {
  let what = "\(grid.shape), \(settings)"
  let exact = try trainAlone(settings.exact, dataset, grid)
  let found = try trainOnGrid(settings, dataset, grid).values
  try expect(found.count, exact.count, "numbers of \(what)")
  let error = zip(found, exact).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }.squareRoot()
  let size = exact.reduce(0) { $0 + $1 * $1 }.squareRoot()
  if !(error <= 0.01 * size) { throw CaseFailure("\(what): \(error) off, of \(size)") }
  let nodes = settings.ranksPerNode == 0 ? grid.shape.data : 1 + (grid.shape.ranks - 1) / settings.ranksPerNode
  // Of several nodes a data group may have one alone.
  if grid.shape.data > 1, grid.shape.modelRanks == 1, nodes > 1, settings.mode == .ordered {
    try expect(error > 0, true, "rounding in \(what)")
  }
  guard grid.shape.modelRanks == 1 else { return }
  try expect(try trainWhole(settings, dataset, grid.data).values, found, "with the whole model, \(what)")
  guard settings.ranksPerNode == 0, !settings.shardsOptimizer else { return }
  for bytes in [100, 1_000_000] {
    let overlapped = try trainWhole(settings, dataset, grid.data, overlap: Overlap(sliceBytes: bytes))
    try expect(overlapped.values, found, "buckets of \(bytes) bytes, \(what)")
  }
}

private struct Steps {
  let strategy: DataParallel
  let model: Model

  init(ranksPerNode: Int, _ precision: Wire.Precision, _ world: borrowing Communicator) throws {
    let dataset = try scatteredDataset(world: world)
    let settings = LayoutSettings(ranksPerNode: ranksPerNode, wire: Wire(precision))
    let model = try settings.model
    let order = dataset.order(virtualRanks: settings.virtualRanks, seed: 3, shuffle: false)
    let run = VirtualRanks(count: settings.virtualRanks, ranks: world.size).run(by: world.rank)
    strategy = try DataParallel(
      model: model, order: order,
      reader: BatchReader(
        dataset: dataset, order: order, virtualRanks: run, targetUse: .classIndex(classes: 4)),
      world: world, mode: .ordered, batchRows: dataset.rows, microBatches: MicroBatches(count: 1),
      nodes: ranksPerNode == 0 ? nil : nodes(ranksPerNode, world.size), wire: settings.wire)
    self.model = model
    initialize()
  }

  func initialize() { strategy.replaceParameters { model.initialize(&$0, seed: 2) } }

  /// The sum of all rows' gradients, as far as this rank has it, while the parameters stay.
  func gradient() throws -> [Float] {
    _ = try strategy.sumGradient(epoch: 0, positions: 0..<69, raised: StepTotals(), needsNorm: true)
    var values: [Float] = []
    _ = try strategy.update { _, gradient, range in values += gradient.values(in: range) }
    return values
  }
}

private func nodes(_ ranksPerNode: Int, _ ranks: Int) -> NodeMap? {
  ranksPerNode == 1 && ranks > 1 ? NodeMap(apart: ranks) : NodeMap((0..<ranks).map { $0 / ranksPerNode })
}

/// What many steps sum up to is many times the gradient, to one rounding of each message; it would be off by as many roundings
/// as there are steps if each forgot what it leaves out.
private func checkSums(ranksPerNode: Int, _ world: borrowing Communicator) throws {
  let (exact, rounded) = (
    try Steps(ranksPerNode: ranksPerNode, .float32, world), try Steps(ranksPerNode: ranksPerNode, .bfloat16, world)
  )
  let truth = try exact.gradient()
  var sums = [Double](repeating: 0, count: truth.count)
  var (first, last) = (0.0, 0.0)
  let steps = 12
  for step in 1...steps {
    for (index, value) in try rounded.gradient().enumerated() { sums[index] += Double(value) }
    var error = 0.0
    for (sum, one) in zip(sums, truth) {
      let difference = sum - Double(step) * Double(one)
      error += difference * difference
    }
    if step == 1 { first = error }
    last = error
  }
  (first, last) = (try world.allReduce(first, .sum).squareRoot(), try world.allReduce(last, .sum).squareRoot())
  let what = "\(world.size) ranks, \(ranksPerNode) a node: off by \(first) after a step and \(last) after \(steps)"
  let goesRounded = world.size > 1 && (ranksPerNode == 0 || world.size > ranksPerNode)
  try expect(first > 0, goesRounded, what)
  // Roundings that are forgotten, of numbers that are always the same, would add up to twelve times the first.
  if last > 3 * first { throw CaseFailure(what) }
}

/// The same for parameters that grow by a little in each step.
private func checkParameters(ranksPerNode: Int, _ world: borrowing Communicator) throws {
  let rounded = try Steps(ranksPerNode: ranksPerNode, .bfloat16, world)
  let before = rounded.strategy.withParameters { $0.values() }
  let (steps, growth) = (12, Float(1.0037e-4))
  for _ in 0..<steps {
    _ = try rounded.strategy.sumGradient(epoch: 0, positions: 0..<5, raised: StepTotals(), needsNorm: false)
    _ = try rounded.strategy.update { parameters, _, range in
      for index in range { parameters[index] += growth }
    }
  }
  let after = rounded.strategy.withParameters { $0.values() }
  try expect(
    try world.allReduce(after.map { Int($0.bitPattern) }, .maximum), after.map { Int($0.bitPattern) },
    "parameters of all ranks")
  for (index, (old, new)) in zip(before, after).enumerated() {
    // A rounding of the growth, and those of additions to the parameter.
    let bound = 2 * growth / 256 + Float(2 * steps) * abs(new).ulp
    if !(abs(new - old - Float(steps) * growth) <= bound) {
      throw CaseFailure("\(ranksPerNode) ranks a node: parameter \(index) went from \(old) to \(new)")
    }
  }
}

/// All ranks see that a sum is not finite, and what rounding left out of it does not come back.
private func checkForgetting(ranksPerNode: Int, _ world: borrowing Communicator) throws {
  let fresh = try Steps(ranksPerNode: ranksPerNode, .bfloat16, world)
  let used = try Steps(ranksPerNode: ranksPerNode, .bfloat16, world)
  for _ in 0..<3 { _ = try used.gradient() }
  used.strategy.replaceParameters { $0.fill(with: 1e20) }
  _ = try used.strategy.sumGradient(epoch: 0, positions: 0..<69, raised: StepTotals(), needsNorm: true)
  try expect(used.strategy.isGradientFinite, false, "finite")
  try expect(try used.strategy.update { _, _, _ in }, false, "applied")
  used.initialize()
  for _ in 0..<3 { try expect(try used.gradient(), try fresh.gradient(), "a gradient after one that is not finite") }
}
