import Kernels
import MPI

/// The area under the ROC curve of scores: the share of pairs of a positive and a negative row that the scores put in order,
/// pairs of equal scores counting half (Mann and Whitney 1947).
///
/// Up to `exactRows` rows the pairs are counted exactly. Beyond that the scores are counted in 2²⁰ bins, spaced as floats are, so that
/// memory does not grow with the data; scores in one bin (a relative difference below 1/2048) count as equal.
struct RankingCurve: Sendable {
  static let exactRows = 1 << 22
  private static let bins = 1 << 20
  private static let droppedBits = 12

  let isExact: Bool
  /// The scores of either class, as bits in the order of the floats.
  private var positives: [UInt32] = []
  private var negatives: [UInt32] = []
  /// The rows of each bin: those of the positive class, then those of the negative class.
  private var counts: [Int64]

  /// - Parameter rows: the rows that all ranks together will add.
  init(rows: Int, exactRows: Int = RankingCurve.exactRows) {
    isExact = rows <= exactRows
    counts = isExact ? [] : Array(repeating: 0, count: 2 * Self.bins)
  }

  /// Adds a row; `score` is finite.
  mutating func add(score: Float, isPositive: Bool) {
    let key = score.orderedBits
    switch (isExact, isPositive) {
    case (true, true): positives.append(key)
    case (true, false): negatives.append(key)
    case (false, true): counts[Int(key >> Self.droppedBits)] += 1
    case (false, false): counts[Self.bins + Int(key >> Self.droppedBits)] += 1
    }
  }

  /// Adds rows with the scores of a model: the one score, or that of class 1 less that of class 0.
  mutating func add(scores: [Float], targets: [Float], rows: Int) {
    let width = scores.count / max(rows, 1)
    for row in 0..<rows {
      let score = width == 1 ? scores[row] : scores[2 * row + 1] - scores[2 * row]
      add(score: score, isPositive: targets[row] > 0.5)
    }
  }

  /// The area of what all ranks added. Collective.
  func area(over world: borrowing Communicator) throws -> Double? {
    area(encoded: isExact ? try world.allGather(encoded).flatMap { $0 } : try world.allReduce(encoded, .sum))
  }

  /// What ranks exchange to know the area: numbers that are joined if exact, and added otherwise.
  var encoded: [Int64] {
    isExact ? positives.map { Int64($0) << 1 | 1 } + negatives.map { Int64($0) << 1 } : counts
  }

  /// The area of what all ranks added; nil if one of the classes is absent.
  func area(encoded: [Int64]) -> Double? {
    isExact ? Self.exactArea(encoded.sorted()) : Self.binnedArea(encoded)
  }

  private static func exactArea(_ sorted: [Int64]) -> Double? {
    var negativesBelow = 0
    var positives = 0
    var halves = 0
    var start = sorted.startIndex
    while start < sorted.endIndex {
      let score = sorted[start] >> 1
      let end = sorted[start...].firstIndex { $0 >> 1 != score } ?? sorted.endIndex
      let here = sorted[start..<end].reduce(0) { $0 + Int($1 & 1) }
      let others = end - start - here
      halves += here * (2 * negativesBelow + others)
      negativesBelow += others
      positives += here
      start = end
    }
    guard positives > 0, negativesBelow > 0 else { return nil }
    return Double(halves) / 2 / Double(positives) / Double(negativesBelow)
  }

  private static func binnedArea(_ counts: [Int64]) -> Double? {
    var below = 0.0
    var area = 0.0
    for bin in 0..<bins {
      let negatives = Double(counts[bins + bin])
      area += Double(counts[bin]) * (below + negatives / 2)
      below += negatives
    }
    let positives = counts[..<bins].reduce(0, +)
    guard positives > 0, below > 0 else { return nil }
    return area / Double(positives) / below
  }
}
