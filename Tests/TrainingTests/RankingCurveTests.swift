import Kernels
import Testing

@testable import Training

@Suite struct RankingCurveTests {
  private typealias Row = (score: Float, isPositive: Bool)

  /// The share of pairs that are in order, counted pair by pair.
  private func definition(_ rows: [Row]) -> Double? {
    let positives = rows.filter(\.isPositive)
    let negatives = rows.filter { !$0.isPositive }
    guard !positives.isEmpty, !negatives.isEmpty else { return nil }
    var halves = 0
    for one in positives {
      for other in negatives { halves += one.score > other.score ? 2 : one.score == other.score ? 1 : 0 }
    }
    return Double(halves) / 2 / Double(positives.count) / Double(negatives.count)
  }

  private func area(_ rows: [Row], exactRows: Int, parts: Int = 3) -> Double? {
    let curves = (0..<parts).map { part in
      var curve = RankingCurve(rows: rows.count, exactRows: exactRows)
      for (index, row) in rows.enumerated() where index % parts == part {
        curve.add(score: row.score, isPositive: row.isPositive)
      }
      return curve
    }
    let encoded = curves.map(\.encoded)
    let all = curves[0].isExact ? encoded.flatMap { $0 } : encoded.dropFirst().reduce(encoded[0]) { zip($0, $1).map(+) }
    return curves[0].area(encoded: all)
  }

  private func rows(_ count: Int, seed: UInt64, ties: Bool) -> [Row] {
    var random = RandomStream(seed: seed)
    return (0..<count).map { _ in
      let positive = random.uniform() < 0.3
      let score = (random.uniform() - 0.5) * 8 + (positive ? 1 : 0)
      return (ties ? score.rounded() : score, positive)
    }
  }

  @Test(arguments: [2, 10, 301], [true, false]) func exactAreaIsTheDefinition(count: Int, ties: Bool) {
    for seed in 0..<5 as Range<UInt64> {
      let rows = rows(count, seed: seed, ties: ties)
      #expect(area(rows, exactRows: 1_000) == definition(rows))
    }
  }

  /// Beyond the exact rows scores that are almost equal count as equal; whole numbers keep their order.
  @Test func binnedAreaIsClose() throws {
    let tied = rows(301, seed: 1, ties: true)
    #expect(abs(try #require(area(tied, exactRows: 10, parts: 2)) - (try #require(definition(tied)))) < 1e-12)
    let other = rows(301, seed: 2, ties: false)
    #expect(abs(try #require(area(other, exactRows: 10, parts: 2)) - (try #require(definition(other)))) < 1e-3)
  }

  @Test(arguments: [100, 1]) func extremes(exactRows: Int) {
    func area(_ rows: [Row]) -> Double? { self.area(rows, exactRows: exactRows, parts: 1) }
    #expect(area([(1, true), (-1, false), (2, true)]) == 1)
    #expect(area([(1, false), (-1, true), (2, false)]) == 0)
    #expect(area([(0, true), (-0.0, false)]) == 0.5)
    #expect(area([(-2, true), (-3, false), (-1, false)]) == 0.5)
    #expect(area([(.greatestFiniteMagnitude, true), (-.greatestFiniteMagnitude, false)]) == 1)
    #expect(area([(1, true), (2, true)]) == nil && area([(1, false), (2, false)]) == nil)
  }
}
