public import Data
public import Kernels
public import MPI
public import Model

/// Every rank holds the whole model and works on the rows of its virtual ranks; the gradients are summed over all ranks.
public final class DataParallel: ParallelStrategy {
  /// Rows that go through the model in one pass at most, so that activations stay small however large the batch is.
  public static let rowsPerPass = 1024

  private let communicator: Communicator
  private let model: Model
  private let order: SampleOrder
  private let reader: BatchReader
  private let ownVirtualRanks: Range<Int>
  private let mode: GradientReduction
  private let microBatches: Int
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
    batchRows: Int, microBatches: Int
  ) throws {
    communicator = try world.duplicate()
    self.model = model
    self.order = order
    self.reader = reader
    self.mode = mode
    self.microBatches = microBatches
    let ranks = VirtualRanks(count: order.virtualRanks, ranks: world.size)
    ownVirtualRanks = ranks.run(by: world.rank)
    sum = GradientSum(parameters: model.layout.count, virtualRanks: ranks, rank: world.rank, mode: mode)
    let share = order.largestShare(batch: batchRows) * (mode == .fast ? max(ownVirtualRanks.count, 1) : 1)
    workspace = Workspace(model, rows: max(1, min(share, Self.rowsPerPass)))
    parameters = FloatBuffer(count: model.layout.count)
  }

  public func sumGradient(epoch: Int, positions: Range<Int>, raised: StepTotals) throws -> StepTotals {
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
          totals.lossSum = try accumulate(into: &gradient, at: offset, passes: passes(of: [share])) { passes, body in
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
      totals.lossSum = try accumulate(into: &gradient, at: offset, passes: passes(of: shares)) { passes, body in
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

  /// Cuts the shares of virtual ranks into micro-batches, and these into passes of at most `rowsPerPass` rows in all.
  private func passes(of shares: [Range<Int>]) -> [[Range<Int>]] {
    let rows = shares.reduce(0) { $0 + $1.count }
    guard rows > 0 else { return [] }
    if microBatches == 1, rows <= Self.rowsPerPass { return [shares] }
    return Self.cut(shares, into: microBatches).flatMap(Self.filled)
  }

  /// Fills passes of `rowsPerPass` rows, the last with what is left, from `ranges` in their order. (Parts of each range would not do:
  /// rounded up, the parts of many ranges are more rows than a pass may have.)
  private static func filled(_ ranges: [Range<Int>]) -> [[Range<Int>]] {
    let empty = ranges.map { $0.lowerBound..<$0.lowerBound }
    var passes: [[Range<Int>]] = []
    var pass = empty
    var room = rowsPerPass
    for (index, range) in ranges.enumerated() {
      var start = range.lowerBound
      while start < range.upperBound {
        let end = min(range.upperBound, start + room)
        pass[index] = start..<end
        room -= end - start
        start = end
        guard room == 0 else { continue }
        passes.append(pass)
        pass = empty
        room = rowsPerPass
      }
    }
    return room < rowsPerPass ? passes + [pass] : passes
  }

  /// Cuts each of `ranges` into `count` parts as even as can be; parts without a row are left out.
  private static func cut(_ ranges: [Range<Int>], into count: Int) -> [[Range<Int>]] {
    // More parts than rows would be empty ones.
    let count = min(count, ranges.map(\.count).max() ?? 0)
    return (0..<count).map { part in
      ranges.map { range in
        range.lowerBound + range.count * part / count..<range.lowerBound + range.count * (part + 1) / count
      }
    }.filter { !$0.allSatisfy(\.isEmpty) }
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

  public var secondsReading: Double { reader.secondsReading }
}
