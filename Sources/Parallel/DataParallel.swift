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
  private var parameters: FloatBuffer
  public private(set) var secondsReducing = 0.0

  /// Makes the strategy of this rank. Collective.
  /// - Parameters:
  ///   - world: all ranks of the training.
  ///   - batchRows: rows of the global batch.
  ///   - microBatches: passes in which the share of a virtual rank is processed.
  public init(
    model: Model, order: SampleOrder, reader: BatchReader, world: borrowing Communicator, mode: GradientReduction,
    batchRows: Int, microBatches: MicroBatches
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
    sum = GradientSum(parameters: model.layout.count, virtualRanks: ranks, rank: world.rank, mode: mode)
    let rows = microBatches.mostRows(
      share: order.largestShare(batch: batchRows), shares: mode == .fast ? ownVirtualRanks.count : 1)
    workspace = Workspace(model, rows: max(1, rows))
    parameters = FloatBuffer(count: model.layout.count)
  }

  public var layout: ParameterLayout { model.layout }
  public var owned: Range<Int> { 0..<layout.count }

  public func sumGradient(epoch: Int, positions: Range<Int>, raised: StepTotals, needsNorm: Bool) throws -> StepTotals {
    var failure: (any Error)?
    do {
      switch mode {
      case .ordered: try sumOrdered(epoch: epoch, positions: positions, raised: raised)
      case .fast: try sumTogether(epoch: epoch, positions: positions, raised: raised)
      }
    } catch {
      // The other ranks wait in the reduction: this one meets them there and tells them.
      failure = error
      sum.place(slot: 0) { _, _ in StepTotals(failed: true) }
    }
    let start = ContinuousClock.now
    let totals = try sum.reduce(raised: raised, over: communicator)
    secondsReducing += (ContinuousClock.now - start) / .seconds(1)
    guard !totals.failed else { throw StepFailure(own: failure) }
    return totals
  }

  /// Each virtual rank's gradient on its own, added along the tree.
  private func sumOrdered(epoch: Int, positions: Range<Int>, raised: StepTotals) throws {
    var next = ownVirtualRanks.lowerBound
    for step in sum.steps {
      switch step {
      case .add(let slot): sum.add(slot: slot)
      case .place(let slot):
        let virtualRank = next
        next += 1
        let share = order.share(ofVirtualRank: virtualRank, positions: positions)
        // The flags travel with the first virtual rank of this rank.
        var totals = virtualRank == ownVirtualRanks.lowerBound ? raised : StepTotals()
        try sum.place(slot: slot) { gradient, offset in
          totals.rows = share.count
          totals.lossSum = try accumulate(into: &gradient, at: offset, passes: microBatches.passes(of: [share])) {
            passes, body in
            try reader.withBatch(virtualRank: virtualRank, epoch: epoch, slots: passes[0], body)
          }
          return totals
        }
      }
    }
  }

  /// All rows of this rank in as few passes as there can be.
  private func sumTogether(epoch: Int, positions: Range<Int>, raised: StepTotals) throws {
    let shares = ownVirtualRanks.map { order.share(ofVirtualRank: $0, positions: positions) }
    try sum.place(slot: 0) { gradient, offset in
      var totals = raised
      totals.rows = shares.reduce(0) { $0 + $1.count }
      totals.lossSum = try accumulate(into: &gradient, at: offset, passes: microBatches.passes(of: shares)) {
        passes, body in
        try reader.withBatch(epoch: epoch, slots: { passes[$0 - ownVirtualRanks.lowerBound] }, body)
      }
      return totals
    }
  }

  private typealias BatchBody = (borrowing FloatBuffer, MatrixView, borrowing FloatBuffer, Int) throws -> Double

  /// Writes the gradient summed over `passes` to `gradient` from `offset` on; returns the sum of the losses.
  private func accumulate(
    into gradient: inout FloatBuffer, at offset: Int, passes: [[Range<Int>]],
    read: (_ slots: [Range<Int>], _ body: BatchBody) throws -> Double
  ) throws -> Double {
    var lossSum = 0.0
    for (index, slots) in passes.enumerated() {
      lossSum += try read(slots) { features, view, targets, targetsOffset in
        model.accumulateGradient(
          parameters: parameters, features: features, view: view, targets: targets, targetsOffset: targetsOffset,
          workspace: workspace, gradient: &gradient, at: offset, accumulate: index > 0)
      }
    }
    if passes.isEmpty { gradient.fill(offset..<offset + model.layout.count, with: 0) }
    return lossSum
  }

  public var isGradientFinite: Bool { Elementwise.isFinite(sum.slots, sum.range) }

  public func gradientNorm() -> Double { Reduce.orderedSumOfSquares(sum.slots, sum.range).squareRoot() }

  public func update(
    _ body: (_ parameters: inout FloatBuffer, _ gradient: borrowing FloatBuffer, _ range: Range<Int>) -> Void
  ) {
    body(&parameters, sum.slots, sum.range)
  }

  public func withParameters<Result>(_ body: (borrowing FloatBuffer) throws -> Result) rethrows -> Result {
    try body(parameters)
  }

  public func replaceParameters(_ body: (inout FloatBuffer) throws -> Void) rethrows {
    try body(&parameters)
  }

  /// Every rank holds the same parameters and sees the same in them.
  public func highest(_ code: Int) -> Int { code }

  public func makeScorer(rows: Int) -> LocalScorer {
    LocalScorer(model, rows: rows, rank: place.data.index, ranks: place.data.count)
  }

  public var secondsReading: Double { reader.secondsReading }
  public var secondsWaiting: Double { 0 }
}
