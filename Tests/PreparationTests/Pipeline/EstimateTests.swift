import Data
import Testing

@testable import Preparation

/// What is collected to fit: exact, and the same however the numbers are cut and ordered.
@Suite struct EstimateTests {
  /// Numbers of very different sizes, so that rounding sums would depend on their order.
  private static func numbers(_ count: Int, seed: UInt64 = 1) -> [Double] {
    var state = seed
    func next() -> UInt64 {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return state >> 11
    }
    return (0..<count).map { _ in
      let exponent = Int(next() % 60) - 30
      let value = Double(sign: .plus, exponent: exponent, significand: 1 + Double(next()) * 0x1p-53)
      return next() % 2 == 0 ? value : -value
    }
  }

  private static func moments(_ numbers: some Sequence<Double>) -> ExactMoments {
    var moments = ExactMoments()
    for number in numbers { moments.add(number) }
    return moments
  }

  @Test func momentsOfSmallNumbers() {
    let moments = Self.moments([1, 2, 3, 4])
    #expect(moments.count == 4 && moments.mean == 2.5 && moments.minimum == 1 && moments.maximum == 4)
    #expect(moments.deviation() == 1.25.squareRoot() && moments.deviation(freedom: 1) == (5.0 / 3).squareRoot())
    #expect(
      Self.moments([7]).deviation() == 0 && Self.moments([7]).mean == 7 && Self.moments([7]).deviation(freedom: 1).isNaN
    )
    #expect(ExactMoments().mean.isNaN && ExactMoments().deviation().isNaN)
    #expect(Self.moments([0.1, 0.1, 0.1]).mean == 0.1 && Self.moments([0.1, 0.1, 0.1]).deviation() == 0)
  }

  /// Nothing cancels: the spread beside a large mean is exact to the last bits.
  @Test(arguments: [0, 1e6, 1e9, 1e12, -1e15]) func spreadBesideALargeMean(offset: Double) {
    let moments = Self.moments([4, 7, 13, 16].map { $0 + offset })
    #expect(moments.mean == 10 + offset)
    #expect(moments.deviation() == 22.5.squareRoot())
  }

  /// The ends of what a double holds.
  @Test func extremes() {
    let huge = Self.moments([1e300, -1e300, 3e300])
    #expect(huge.mean == 1e300 && abs(huge.deviation() / 1.632993161855452e300 - 1) < 1e-15)
    let least = Double.leastNonzeroMagnitude
    let tiny = Self.moments([least, 3 * least])
    #expect(tiny.mean == 2 * least && tiny.deviation() == least)
    let largest = Double.greatestFiniteMagnitude
    #expect(Self.moments([largest, largest, -largest]).mean.isFinite)
    #expect(Self.moments([1e16, 1, -1e16]).mean == 1.0 / 3)
    #expect(Self.moments([1e-300, 1e300, -1e300]).mean == 1e-300 / 3)
  }

  @Test func momentsAreTheSameForEveryCutAndOrder() throws {
    let numbers = Self.numbers(3_000)
    let all = Self.moments(numbers)
    for pieces in [2, 3, 7, 100] {
      var merged = ExactMoments()
      // Backwards, and each through the bytes that travel.
      for piece in (0..<pieces).reversed() {
        var writer = ByteWriter()
        Self.moments(numbers[piece * numbers.count / pieces..<(piece + 1) * numbers.count / pieces]).write(to: &writer)
        var reader = ByteReader(writer.bytes)
        merged.merge(try ExactMoments(from: &reader))
        try reader.finish()
      }
      #expect(merged.mean.bitPattern == all.mean.bitPattern)
      #expect(merged.deviation().bitPattern == all.deviation().bitPattern)
      #expect(merged.count == all.count && merged.minimum == all.minimum && merged.maximum == all.maximum)
    }
    #expect(Self.moments(numbers.sorted()).mean.bitPattern == all.mean.bitPattern)
  }

  // MARK: Quantiles

  private static func quantiles(
    _ wanted: [Double], _ pieces: [[Double]], throughBytes: Bool = false
  ) throws -> (values: [Double], passes: Int) {
    var search = QuantileSearch(wanted)
    var passes = 0
    while !search.isFinished {
      passes += 1
      var total = search.emptied
      for piece in pieces {
        var part = search.emptied
        for number in piece { part.add(number) }
        if throughBytes {
          var writer = ByteWriter()
          part.write(to: &writer)
          var reader = ByteReader(writer.bytes)
          try total.merge(from: &reader)
          try reader.finish()
        } else {
          total.merge(part)
        }
      }
      total.finishPass()
      search = total
    }
    return (search.values, passes)
  }

  @Test func quantilesOfFewNumbers() throws {
    #expect(try Self.quantiles([0.5], [[3, 1, 2]]).values == [2])
    #expect(try Self.quantiles([0.5], [[4, 1, 2, 3]]).values == [2.5])
    #expect(try Self.quantiles([0, 0.25, 0.5, 0.75, 1], [[1, 2, 3, 4]]).values == [1, 1.75, 2.5, 3.25, 4])
    #expect(try Self.quantiles([0.5], [[-1, -0.0, 0, 5]]).values == [0])
    #expect(try Self.quantiles([0.1, 0.9], [[7]]).values == [7, 7])
    #expect(try Self.quantiles([0.5], [[]]).values.isEmpty)
    #expect(try Self.quantiles([0.5], [[1e308, 1.5e308]]).values == [1.25e308])
  }

  /// More numbers than are kept: found by narrowing down, in few passes, to the same numbers as by sorting.
  @Test func quantilesOfManyNumbers() throws {
    let numbers = Self.numbers(200_001)
    let sorted = numbers.sorted()
    let wanted = [0, 0.25, 0.5, 0.999_99, 1]
    let pieces = (0..<5).map { Array(numbers[$0 * numbers.count / 5..<($0 + 1) * numbers.count / 5]) }
    let found = try Self.quantiles(wanted, pieces)
    #expect(found.values[0] == sorted[0] && found.values[1] == sorted[50_000] && found.values[2] == sorted[100_000])
    #expect(found.values[3] == sorted[199_998] && found.values[4] == sorted[200_000])
    #expect(found.passes <= 3)
    #expect(try Self.quantiles(wanted, [numbers], throughBytes: true).values == found.values)
    #expect(try Self.quantiles(wanted, pieces.reversed(), throughBytes: true).values == found.values)
  }

  /// One value more often than numbers are kept.
  @Test func quantilesOfManyEqualNumbers() throws {
    let found = try Self.quantiles([0.25, 0.5, 1], [[Double](repeating: -2.5, count: 150_000), [1, 2, 3]])
    #expect(found.values == [-2.5, -2.5, 3] && found.passes <= 6)
  }

  // MARK: Counts

  @Test func mostFrequent() {
    var counts = ValueCounts()
    for number in [3.0, 1, 3, 1, 2, -0.0, 0] { counts.add(number) }
    #expect(counts.mostFrequentNumber == 0)  // both zeros are one, and the least of three pairs wins
    for text in ["b", "a", "b", "a", "c"] { counts.add(text) }
    #expect(counts.mostFrequentText == "a" && counts.sortedTexts == ["a", "b", "c"])
    #expect(ValueCounts().mostFrequentNumber == nil && ValueCounts().mostFrequentText == nil)
  }

  @Test func countsMergeThroughBytes() throws {
    var (a, b, both) = (ValueCounts(), ValueCounts(), ValueCounts())
    for number in [1.0, 2, 2] {
      a.add(number)
      both.add(number)
    }
    for text in ["x", "é"] {
      b.add(text)
      both.add(text)
    }
    var writer = ByteWriter()
    b.write(to: &writer)
    var reader = ByteReader(writer.bytes)
    a.merge(try ValueCounts(from: &reader))
    #expect(a == both)
  }

  @Test func tooManyDifferentValuesInAnyOrder() {
    var (a, b) = (ValueCounts(), ValueCounts())
    for number in 0..<600_000 {
      a.add(Double(number))
      b.add(Double(number + 500_000))
    }
    var (first, second) = (a, b)
    first.merge(b)
    second.merge(a)
    #expect(first.isOver && first == second && !a.isOver)
  }
}
