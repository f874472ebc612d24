public import Data
public import Kernels
import MPI
public import Model

/// Each rank holds some layers, or parts of them: layers on the stages of a pipeline, each layer cut among the ranks of a tensor group,
/// and copies of all that for different rows.
///
/// Every copy of the model works as `DataParallel` on one rank does: the same virtual ranks, passes and order of sums, so that a
/// pipeline changes no bit.
public final class ModelParallel: ParallelStrategy {
  public let layout: ParameterLayout
  private let grid: ProcessGrid
  private let model: Model
  private let runner: StageRunner
  private let exchange: StageExchange
  private let order: SampleOrder
  private let reader: BatchReader?
  private let ownVirtualRanks: Range<Int>
  private let mode: GradientReduction
  private let microBatches: MicroBatches
  private let sum: GradientSum
  private let report: GroupReport?
  private var targets: FloatBuffer
  private let leavesRowsOut: Bool
  private var isFinite = true
  private var squaredNorm = 0.0
  private var failure: (any Error)?
  /// The rows of the last batch of targets, where the features of another rank belong to them.
  private var targetRows: Int?
  private var secondsReporting = 0.0

  /// Makes the strategy of this rank. Collective.
  /// - Parameters:
  ///   - stages: the layers of each stage of the pipeline.
  ///   - reader: what this rank reads (`GridPlace.reads`) of the rows of its data index; nil for a rank that reads nothing.
  ///   - leavesRowsOut: readers leave rows out; the same on all ranks.
  ///   - batchRows: rows of the global batch.
  ///   - microBatches: passes in which the share of a virtual rank is processed.
  ///   - shardsOptimizer: each rank of a data group updates a slice of the parameters, so that it keeps the optimizer's state of that
  ///     alone.
  ///   - nodes: which ranks of the data group share memory, and with it parameters and gradients; nil where each has its own.
  ///   - wire: how sums go from node to node.
  public init(
    model: Model, stages: [Range<Int>], order: SampleOrder, reader: BatchReader?, leavesRowsOut: Bool = false,
    grid: ProcessGrid,
    mode: GradientReduction, batchRows: Int, microBatches: MicroBatches, shardsOptimizer: Bool = false,
    nodes: NodeMap? = nil, wire: Wire = Wire()
  ) throws {
    let place = grid.place
    precondition(stages.count == place.pipeline.count, "\(stages.count) stages for a grid of \(place.shape)")
    precondition(place.reads.isEmpty || reader != nil, "a rank that reads \(place.reads) has no reader")
    let stage = try model.stage(layers: stages[place.pipeline.index], tensor: place.part)
    self.grid = grid
    self.model = model
    self.order = order
    self.reader = reader
    self.leavesRowsOut = leavesRowsOut
    self.mode = mode
    self.microBatches = microBatches
    layout = stage.layout
    let ranks = VirtualRanks(count: order.virtualRanks, ranks: place.data.count)
    ownVirtualRanks = ranks.run(by: place.data.index)
    sum = try GradientSum(
      layout: layout, virtualRanks: ranks, mode: mode, sharded: shardsOptimizer,
      nodes: nodes, wire: wire, over: grid.data)
    let rows = max(
      1,
      Summand.mostRows(
        of: ownVirtualRanks, order: order, batchRows: batchRows, mode: mode, microBatches: microBatches))
    let exchange = try StageExchange(grid)
    self.exchange = exchange
    runner = StageRunner(
      stage, grid: grid, exchange: exchange, capacity: rows, leavesRowsOut: leavesRowsOut)
    targets = FloatBuffer(count: stage.isLast ? rows * model.targetsPerRow : 0)
    report =
      place.shape.modelRanks > 1
      ? GroupReport(sumCounts: try grid.model.allGather(layout.entries.count), rank: place.modelIndex) : nil
  }

  public var place: GridPlace { grid.place }
  public var owned: Range<Int> { sum.owned }
  public var splitsUpdate: Bool { sum.isSharded }

  public func sumGradient(
    epoch: Int, positions: Range<Int>, raised: StepTotals, needsNorm: Bool
  ) throws -> StepTotals {
    failure = nil
    sum.begin()
    try compute(epoch: epoch, positions: positions, raised: raised)
    if failure != nil { sum.store(StepTotals(failed: true), slot: 0) }
    let totals = try reduce(raised: raised, needsNorm: needsNorm)
    guard !totals.failed else { throw StepFailure(own: failure) }
    return totals
  }

  /// Computes the gradients of this rank, each in its slot, and adds them along the tree.
  private func compute(epoch: Int, positions: Range<Int>, raised: StepTotals) throws {
    let summands = Summand.all(
      of: ownVirtualRanks, order: order, positions: positions, mode: mode, microBatches: microBatches)
    let batches = summands.flatMap { summand in summand.passes.map { (summand, $0) } }
    let assembly = GradientAssembly(summands, in: sum, raised: raised)
    try runner.begin(batches.map { $0.rows(of: $1) })
    let works = OneForwardOneBackward(
      stage: place.pipeline.index, stages: place.pipeline.count, microBatches: batches.count)
    for work in works {
      switch work {
      case .forward(let batch):
        let (summand, pass) = batches[batch]
        try read(pass, of: summand, epoch: epoch, batch: batch)
        try spread(batch, rows: summand.rows(of: pass))
        try runner.forward(batch, parameters: sum.parameters)
        checkRows(of: batch)
        // The last stage goes back at once, so the loss belongs to the gradient that is being added up.
        if place.pipeline.isLast {
          assembly.lossSum += try runner.lossSum(batch, targets: targets)
        }
      case .backward(let batch):
        try assembly.addPass(rows: runner.rowsLeft(of: batch)) { gradient, offset, accumulate in
          try runner.backward(
            batch, parameters: sum.parameters, gradient: &gradient, at: offset, accumulate: accumulate)
        }
      }
    }
    try runner.end()
  }

  /// Whether what the last stage has read is what the first has: as many rows of which none was left out.
  private func checkRows(of batch: Int) {
    guard let rows = targetRows, rows != runner.rowsLeft(of: batch), failure == nil else { return }
    failure = DataError(
      .invalid, "of a batch, one rank finds \(rows) rows finite and another \(runner.rowsLeft(of: batch))",
      hint: "the files must be the same on all hosts, and stay as they are")
  }

  /// Reads what this rank reads of a micro-batch. After a failure there are zeros instead: the other ranks count on every message.
  private func read(_ pass: ShortList<Range<Int>>, of summand: Summand, epoch: Int, batch: Int) throws {
    guard let reader, !reads.isEmpty else { return }
    let input = runner.inputs(of: batch)
    targetRows = nil
    do {
      if let failure { throw failure }
      try reader.withPass(pass, of: summand, epoch: epoch) { features, view, found, offset in
        if reads.contains(.features) {
          input.rows.copy(from: features, range: view.offset..<view.end)
          runner.leave(view.rows, of: batch)
        }
        if reads.contains(.targets) {
          if leavesRowsOut { targetRows = view.rows }
          targets.copy(from: found, range: offset..<offset + view.rows * model.targetsPerRow)
        }
      }
    } catch {
      failure = error
      if reads.contains(.features) {
        input.rows.fill(with: 0)
        runner.leave(summand.rows(of: pass), of: batch)
      }
      if reads.contains(.targets) { targets.fill(with: 0) }
    }
  }

  /// Brings what one rank of a stage has read to those that hold the other parts of its layers.
  private func spread(_ batch: Int, rows: Int) throws(MPIError) {
    guard place.tensor.count > 1 else { return }
    if place.pipeline.isFirst {
      try runner.spreadInputs(of: batch)
    }
    if place.pipeline.isLast {
      try grid.tensor.broadcast(&targets, count: rows * model.targetsPerRow, root: 0)
    }
  }

  /// Adds the gradients over the copies of the model, and lets the ranks of a copy know what each found.
  private func reduce(raised: StepTotals, needsNorm: Bool) throws(MPIError) -> StepTotals {
    // The ranks of a copy apply their parts of a gradient together or not at all.
    let needsFinite = needsNorm || report != nil
    var totals = try sum.reduce(raised: raised, needsNorm: needsNorm, needsFinite: needsFinite, over: grid.data)
    isFinite = !needsFinite || sum.isFinite
    var sums = needsNorm ? entrySums() : nil
    if let report {
      // All ranks of a copy have the same rows: one tells.
      if !reads.contains(.targets) { totals.rows = 0 }
      let start = ContinuousClock.now
      try report.exchange(totals, isFinite: isFinite, sums: sums, over: grid.model)
      secondsReporting += (ContinuousClock.now - start) / .seconds(1)
      totals = report.totals
      isFinite = report.isFinite
      sums = report.sums
    }
    squaredNorm = sums?.reduce(0, +) ?? .nan
    return totals
  }

  /// The sums of squares of this rank's tensors; what several ranks hold alike counts on the first of them.
  private func entrySums() -> [Double] {
    zip(layout.entries, sum.entrySums()).map { entry, sum in
      entry.isReplicated && !place.tensor.isFirst ? 0 : sum
    }
  }

  public var isGradientFinite: Bool { isFinite }

  public func gradientNorm() -> Double { squaredNorm.squareRoot() }

  public func update(
    _ body: (_ parameters: inout FloatBuffer, _ gradient: borrowing FloatBuffer, _ range: Range<Int>) -> Void
  ) throws -> Bool {
    // Where other ranks of the copy have found what is not finite, this one's part of the gradient must not be applied either.
    guard isFinite else { return false }
    return try sum.update(over: grid.data, body)
  }

  public func withParameters<Result>(_ body: (borrowing FloatBuffer) throws -> Result) rethrows -> Result {
    try body(sum.parameters)
  }

  public func replaceParameters(_ body: (inout FloatBuffer) throws -> Void) rethrows {
    try sum.replaceParameters(body)
  }

  public func highest(_ code: Int) throws -> Int { try grid.world.allReduce(code, .maximum) }

  public func makeScorer(rows: Int) -> GridScorer {
    GridScorer(runner.stage, of: model, grid: grid, exchange: exchange, rows: rows)
  }

  public var secondsReducing: Double { sum.secondsReducing + secondsReporting }
  public var secondsReading: Double { reader?.secondsReading ?? 0 }
  public var secondsAwaitingRows: Double { reader?.secondsWaiting ?? 0 }
  public var secondsWaiting: Double { runner.secondsWaiting }
}
