import Data

/// A gradient that a rank computes on its own before it is added to others: that of one virtual rank under `ordered`, that of all of
/// the rank's virtual ranks together under `fast`.
struct Summand {
  let virtualRanks: Range<Int>
  let rows: Int
  /// The passes that it is computed in: the slots of each of the virtual ranks.
  let passes: ShortList<ShortList<Range<Int>>>

  /// The summands of the virtual ranks in `run` in one step, in order.
  static func all(
    of run: Range<Int>, order: SampleOrder, positions: Range<Int>, mode: GradientReduction, microBatches: MicroBatches
  ) -> [Summand] {
    (0..<(mode == .ordered ? run.count : 1)).map {
      Summand($0, of: run, order: order, positions: positions, mode: mode, microBatches: microBatches)
    }
  }

  /// Number `index` of them.
  init(
    _ index: Int, of run: Range<Int>, order: SampleOrder, positions: Range<Int>, mode: GradientReduction,
    microBatches: MicroBatches
  ) {
    let first = run.lowerBound + index
    let virtualRanks = mode == .ordered ? first..<first + 1 : run
    let shares =
      virtualRanks.count == 1
      ? ShortList(order.share(ofVirtualRank: first, positions: positions))
      : ShortList(virtualRanks.map { order.share(ofVirtualRank: $0, positions: positions) })
    self.virtualRanks = virtualRanks
    rows = shares.reduce(0) { $0 + $1.count }
    passes = microBatches.passes(of: shares)
  }

  /// The rows of a pass.
  func rows(of pass: ShortList<Range<Int>>) -> Int { pass.reduce(0) { $0 + $1.count } }

  /// The most rows that a pass can have in a step of `batchRows` rows.
  static func mostRows(
    of run: Range<Int>, order: SampleOrder, batchRows: Int, mode: GradientReduction, microBatches: MicroBatches
  ) -> Int {
    microBatches.mostRows(share: order.largestShare(batch: batchRows), shares: mode == .fast ? run.count : 1)
  }
}
