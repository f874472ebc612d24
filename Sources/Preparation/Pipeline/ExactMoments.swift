internal import Data

/// Count, mean, spread and range of numbers, from exact sums: the same bits for any order and grouping of the numbers.
public struct ExactMoments: Equatable, Sendable {
  public private(set) var count = 0
  /// Infinite while there is no number.
  public private(set) var minimum = Double.infinity
  public private(set) var maximum = -Double.infinity
  private var sum = FixedPoint.ofValues
  private var squares = FixedPoint.ofSquares

  public init() {}

  /// Adds a finite number.
  public mutating func add(_ value: Double) {
    count += 1
    sum.add(value)
    squares.addSquare(of: value)
    minimum = min(minimum, value)
    maximum = max(maximum, value)
  }

  /// Adds the numbers that `other` has seen.
  public mutating func merge(_ other: ExactMoments) {
    count += other.count
    sum.merge(other.sum)
    squares.merge(other.squares)
    minimum = min(minimum, other.minimum)
    maximum = max(maximum, other.maximum)
  }

  /// Not a number while there is none.
  public var mean: Double {
    guard minimum < maximum else { return count > 0 ? minimum : .nan }
    // Within the range, where the rounded sum and quotient might leave it.
    return max(minimum, min(maximum, sum.value / Double(count)))
  }

  /// The standard deviation.
  ///
  /// The numerator n Σx² - (Σx)² is an exact whole number, so that nothing cancels.
  /// - Parameter freedom: what is subtracted from the count in the divisor: 0 for that of a population, 1 for that of a sample.
  public func deviation(freedom: Int = 0) -> Double {
    guard count > freedom else { return .nan }
    guard minimum < maximum else { return 0 }
    let total = sum.units.magnitude
    let numerator = WholeNumber(count) * squares.units.magnitude - total * total
    var (significand, exponent) = numerator.rounded
    significand /= Double(count)
    significand /= Double(count - freedom)
    exponent += squares.lowestExponent
    if exponent & 1 != 0 {
      significand *= 2
      exponent -= 1
    }
    return Double(sign: .plus, exponent: exponent / 2, significand: significand.squareRoot())
  }
}

// From rank to rank.
extension ExactMoments {
  func write(to writer: inout ByteWriter) {
    writer.write(count)
    writer.write(minimum)
    writer.write(maximum)
    for limb in sum.limbs + squares.limbs { writer.write(Int(limb)) }
  }

  init(from reader: inout ByteReader) throws(DataError) {
    count = try reader.readInt()
    minimum = try reader.readDouble()
    maximum = try reader.readDouble()
    sum = try Self.read(sum, &reader)
    squares = try Self.read(squares, &reader)
  }

  private static func read(_ empty: FixedPoint, _ reader: inout ByteReader) throws(DataError) -> FixedPoint {
    var limbs: [Int64] = []
    for _ in empty.limbs { limbs.append(Int64(try reader.readInt())) }
    return empty.with(limbs: limbs) ?? empty
  }
}
