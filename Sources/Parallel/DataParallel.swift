public import Data
public import Kernels
public import MPI
public import Model

/// Every rank holds the whole model and works on the rows of its virtual ranks; the gradients are summed over all ranks.
public final class DataParallel: ParallelStrategy {
  public let place: GridPlace
  private let communicator: Communicator
  private let model: Model
  private let order: SampleOrder
  private let reader: BatchReader
  private let ownVirtualRanks: Range<Int>
  private let mode: GradientReduction
  private let microBatches: MicroBatches
  private let workspace: Workspace
  private let sum: GradientSum

  /// Makes the strategy of this rank. Collective.
  /// - Parameters:
  ///   - world: all ranks of the training.
  ///   - batchRows: rows of the global batch.
  ///   - microBatches: passes in which the share of a virtual rank is processed.
  ///   - shardsOptimizer: each rank updates a slice of the parameters, so that it keeps the optimizer's state of that alone.
  ///   - overlap: gradients go to the other ranks while they are computed; nil where that does not pay.
  ///   - nodes: which ranks share memory, and with it parameters and gradients; nil where each has its own.
  ///   - wire: how sums go from node to node.
  public init(
    model: Model, order: SampleOrder, reader: BatchReader, world: borrowing Communicator, mode: GradientReduction,
    batchRows: Int, microBatches: MicroBatches, shardsOptimizer: Bool = false,
    overlap: Overlap? = nil, nodes: NodeMap? = nil, wire: Wire = Wire()
  ) throws {
    communicator = try world.duplicate()
    place = GridShape(data: world.size).place(world.rank)
    self.model = model
    self.order = order
    self.reader = reader
    self.mode = mode
    self.microBatches = microBatches
    let ranks = VirtualRanks(count: order.virtualRanks, ranks: world.size)
    ownVirtualRanks = ranks.run(by: world.rank)
    sum = try GradientSum(
      layout: model.layout, virtualRanks: ranks, mode: mode, sharded: shardsOptimizer, overlap: overlap, nodes: nodes,
      wire: wire, over: communicator)
    let rows = Summand.mostRows(
      of: ownVirtualRanks, order: order, batchRows: batchRows, mode: mode, microBatches: microBatches)
    workspace = Workspace(model, rows: max(1, rows))
  }

  public var layout: ParameterLayout { model.layout }
  public var owned: Range<Int> { sum.owned }
  public var splitsUpdate: Bool { sum.isSharded }

  public func sumGradient(
    epoch: Int, positions: Range<Int>, raised: StepTotals, needsNorm: Bool
  ) throws -> StepTotals {
    var failure: (any Error)?
    sum.begin()
    do {
      try compute(epoch: epoch, positions: positions, raised: raised)
    } catch {
      // The other ranks wait in the reduction: this one meets them there and tells them.
      failure = error
      sum.abandon()
    }
    let totals = try sum.reduce(raised: raised, needsNorm: needsNorm, needsFinite: needsNorm, over: communicator)
    guard !totals.failed else { throw StepFailure(own: failure) }
    return totals
  }

  /// Computes the gradients of this rank, each in its slot, and adds them along the tree.
  private func compute(epoch: Int, positions: Range<Int>, raised: StepTotals) throws {
    var next = 0
    for step in sum.steps {
      switch step {
      case .add(let slot): sum.add(slot: slot)
      case .place(let slot):
        let summand = Summand(
          next, of: ownVirtualRanks, order: order, positions: positions, mode: mode, microBatches: microBatches)
        // The flags travel with the first gradient of this rank.
        var totals = next == 0 ? raised : StepTotals()
        next += 1
        (totals.lossSum, totals.rows) = try accumulate(
          summand, epoch: epoch, slot: slot, isLast: next == sum.summands)
        sum.store(totals, slot: slot)
      }
    }
  }

  /// Writes the gradient of `summand` to its slot; returns the sum of the losses and the rows, of which some may have been left out.
  /// - Parameter isLast: no other gradient of this rank follows in the step.
  private func accumulate(
    _ summand: Summand, epoch: Int, slot: Int, isLast: Bool
  ) throws -> (lossSum: Double, rows: Int) {
    guard !reader.leavesRowsOut else { return try accumulateSome(summand, epoch: epoch, slot: slot) }
    if summand.passes.isEmpty { sum.clear(slot: slot) }
    var lossSum = 0.0
    for index in summand.passes.indices {
      lossSum += try accumulate(
        summand.passes[index], of: summand, epoch: epoch, slot: slot, accumulate: index > 0,
        isLast: isLast && index == summand.passes.count - 1)
    }
    return (lossSum, summand.rows)
  }

  private func accumulate(
    _ pass: ShortList<Range<Int>>, of summand: Summand, epoch: Int, slot: Int, accumulate: Bool, isLast: Bool
  ) throws -> Double {
    let progress: Stage.Progress? = isLast && sum.overlaps ? { self.sum.hand(from: $1, &$0) } : nil
    if model.takesRowsInPlace {
      return try reader.withRows(pass, of: summand, epoch: epoch) { features, rows, targets in
        sum.write(slot: slot) { gradient, offset in
          model.accumulateGradient(
            parameters: sum.parameters, features: features, rows: rows, targets: targets, workspace: workspace,
            gradient: &gradient, at: offset, accumulate: accumulate, progress: progress)
        }
      }
    }
    return try reader.withPass(pass, of: summand, epoch: epoch) { features, view, targets, targetsOffset in
      sum.write(slot: slot) { gradient, offset in
        model.accumulateGradient(
          parameters: sum.parameters, features: features, view: view, targets: targets, targetsOffset: targetsOffset,
          workspace: workspace, gradient: &gradient, at: offset, accumulate: accumulate,
          progress: progress)
      }
    }
  }

  /// As `accumulate`, where passes may have fewer rows than they were to have.
  private func accumulateSome(_ summand: Summand, epoch: Int, slot: Int) throws -> (lossSum: Double, rows: Int) {
    var lossSum = 0.0
    var rows = 0
    for index in summand.passes.indices {
      lossSum += try reader.withPass(summand.passes[index], of: summand, epoch: epoch) {
        features, view, targets, targetsOffset in
        guard view.rows > 0 else { return 0 }
        defer { rows += view.rows }
        return sum.write(slot: slot) { gradient, offset in
          model.accumulateGradient(
            parameters: sum.parameters, features: features, view: view, targets: targets, targetsOffset: targetsOffset,
            workspace: workspace, gradient: &gradient, at: offset, accumulate: rows > 0)
        }
      }
    }
    if rows == 0 { sum.clear(slot: slot) }
    return (lossSum, rows)
  }

  public var isGradientFinite: Bool { sum.isFinite }

  public func gradientNorm() -> Double { sum.entrySums().reduce(0, +).squareRoot() }

  public func update(
    _ body: (_ parameters: inout FloatBuffer, _ gradient: borrowing FloatBuffer, _ range: Range<Int>) -> Void
  ) throws -> Bool {
    try sum.update(over: communicator, body)
  }

  public func withOwnRows<Result>(
    epoch: Int, positions: Range<Int>,
    _ body: (
      _ model: Model, _ parameters: inout FloatBuffer, _ features: borrowing FloatBuffer, _ rows: RowSelection,
      _ targets: borrowing FloatBuffer
    ) -> Result
  ) throws -> Result? {
    // Positions are slots where there is one virtual rank.
    guard communicator.size == 1, order.virtualRanks == 1, model.hasOneScore else { return nil }
    return try reader.withRows(virtualRank: 0, epoch: epoch, slots: positions) { features, rows, targets in
      var result: Result?
      sum.replaceParameters { result = body(model, &$0, features, rows, targets) }
      return result
    }
  }

  public func withParameters<Result>(_ body: (borrowing FloatBuffer) throws -> Result) rethrows -> Result {
    try body(sum.parameters)
  }

  public func replaceParameters(_ body: (inout FloatBuffer) throws -> Void) rethrows {
    try sum.replaceParameters(body)
  }

  public func highest(_ code: Int) throws -> Int { try communicator.allReduce(code, .maximum) }

  public func makeScorer(rows: Int) -> LocalScorer {
    LocalScorer(model, rows: rows, rank: place.data.index, ranks: place.data.count)
  }

  public var secondsReducing: Double { sum.secondsReducing }
  public var secondsReading: Double { reader.secondsReading }
  public var secondsAwaitingRows: Double { reader.secondsWaiting }
  public var secondsWaiting: Double { 0 }
}
