import Testing

@testable import Kernels

@Suite struct ReduceTests {
  @Test(arguments: [0, 1, 7, 15, 16, 17, 63, 64, 65, 1000, 4096])
  func sumsAgreeWithDouble(count: Int) {
    var stream = RandomStream(seed: 4)
    let values = (0..<count + 3).map { _ in 2 * stream.uniform() - 1 }
    let buffer = FloatBuffer(values)
    let range = 3..<count + 3
    let part = values[range].map(Double.init)
    let sum = part.reduce(0, +)
    let squares = part.reduce(0) { $0 + $1 * $1 }
    let magnitudes = part.reduce(0) { $0 + abs($1) }
    #expect(abs(Reduce.orderedSum(buffer, range) - sum) <= 1e-12 * magnitudes)
    #expect(abs(Reduce.orderedSumOfSquares(buffer, range) - squares) <= 1e-12 * squares)
    #expect(abs(Reduce.orderedAbsoluteSum(buffer, range) - magnitudes) <= 1e-12 * magnitudes)
    #expect(abs(Double(Reduce.sum(buffer, range)) - sum) <= 1e-5 * magnitudes)
    #expect(abs(Double(Reduce.sumOfSquares(buffer, range)) - squares) <= 1e-5 * squares)
    #expect(abs(Double(Reduce.absoluteSum(buffer, range)) - magnitudes) <= 1e-5 * magnitudes)
    #expect(abs(Double(Reduce.dot(buffer, range, buffer, at: 3)) - squares) <= 1e-5 * squares)
    #expect(abs(Double(Reduce.orderedDot(buffer, range, buffer, at: 3)) - squares) <= 1e-5 * squares)
  }

  /// The order is part of the promise: written out here for 16 lanes.
  @Test func orderOfAnOrderedSum() {
    var stream = RandomStream(seed: 4)
    let values = (0..<53).map { _ in 2 * stream.uniform() - 1 }
    var lanes = [Double](repeating: 0, count: 16)
    for index in 0..<48 { lanes[index % 16] += Double(values[index]) }
    for width in [8, 4, 2, 1] {
      for lane in 0..<width { lanes[lane] += lanes[lane + width] }
    }
    let expected = values[48...].reduce(lanes[0]) { $0 + Double($1) }
    #expect(Reduce.orderedSum(FloatBuffer(values), 0..<53) == expected)
  }

  @Test func anOrderedResultDoesNotDependOnTheAddress() {
    var stream = RandomStream(seed: 4)
    let values = (0..<1001).map { _ in 2 * stream.uniform() - 1 }
    var results: Set<[UInt64]> = []
    for shift in 0..<17 {
      let buffer = FloatBuffer([Float](repeating: .nan, count: shift) + values)
      let range = shift..<shift + values.count
      results.insert([
        Reduce.orderedSum(buffer, range).bitPattern, Reduce.orderedSumOfSquares(buffer, range).bitPattern,
        Reduce.orderedAbsoluteSum(buffer, range).bitPattern,
        UInt64(Reduce.orderedDot(buffer, range, buffer, at: shift).bitPattern),
      ])
    }
    #expect(results.count == 1)
  }
}
