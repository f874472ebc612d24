/// A sum of doubles, or of their squares, without any rounding: a fixed-point number wide enough for all of them.
///
/// Exact sums can be added in any order and any grouping, so that a mean is the same to the last bit however the rows are cut
/// into blocks and ranks. Source: U. Kulisch, Computer Arithmetic and Validity, chapter 8 (the long accumulator).
struct FixedPoint: Equatable, Sendable {
  /// Digits to the base 2³², least significant first. Between two carries they may leave their range; the last one has the
  /// sign.
  private(set) var limbs: [Int64]
  /// The value of the lowest bit is 2 to this power.
  let lowestExponent: Int
  private var additions = 0
  /// Each addition changes a limb by less than 2³², so this many leave it far within 63 bits.
  private static let mostAdditions = 1 << 30

  private init(lowestExponent: Int, limbs: Int) {
    self.lowestExponent = lowestExponent
    self.limbs = [Int64](repeating: 0, count: limbs)
  }

  /// Zero, for a sum of doubles. The lowest bit is that of the least double, and there is room for 2⁶⁰ of the largest.
  static var ofValues: FixedPoint { FixedPoint(lowestExponent: -1_074, limbs: 68) }

  /// About how many bytes of memory a sum of doubles takes.
  static let bytes = 68 * 8 + 64

  /// Zero, for a sum of squares of doubles.
  static var ofSquares: FixedPoint { FixedPoint(lowestExponent: -2_148, limbs: 135) }

  /// A double as sign, digits and place: value = digits · 2^(place - 1074).
  @inline(__always)
  private static func parts(_ value: Double) -> (isNegative: Bool, digits: UInt64, place: Int) {
    let bits = value.bitPattern
    let exponent = Int(bits >> 52) & 0x7ff
    let fraction = bits & (1 << 52 - 1)
    return (bits >> 63 == 1, exponent == 0 ? fraction : fraction | 1 << 52, max(exponent - 1, 0))
  }

  /// Adds a finite value; `self` is a sum of values.
  mutating func add(_ value: Double) {
    let (isNegative, digits, place) = Self.parts(value)
    let (limb, shift) = (place >> 5, UInt64(place & 31))
    let low = digits << shift
    let high = shift == 0 ? 0 : digits >> (64 - shift)
    let sign: Int64 = isNegative ? -1 : 1
    limbs[limb] += sign * Int64(low & 0xffff_ffff)
    limbs[limb + 1] += sign * Int64(low >> 32)
    limbs[limb + 2] += sign * Int64(high)
    count()
  }

  /// Adds the square of a finite value; `self` is a sum of squares.
  mutating func addSquare(of value: Double) {
    let (_, digits, place) = Self.parts(value)
    let (limb, shift) = ((2 * place) >> 5, UInt64((2 * place) & 31))
    let square = digits.multipliedFullWidth(by: digits)
    let carried = 64 - shift
    let low = square.low << shift
    let middle = square.high << shift | (shift == 0 ? 0 : square.low >> carried)
    let high = shift == 0 ? 0 : square.high >> carried
    limbs[limb] += Int64(low & 0xffff_ffff)
    limbs[limb + 1] += Int64(low >> 32)
    limbs[limb + 2] += Int64(middle & 0xffff_ffff)
    limbs[limb + 3] += Int64(middle >> 32)
    limbs[limb + 4] += Int64(high)
    count()
  }

  @inline(__always)
  private mutating func count() {
    additions += 1
    if additions == Self.mostAdditions { carry() }
  }

  /// Brings the digits into their range, so that equal numbers have equal digits.
  mutating func carry() {
    for index in 0..<limbs.count - 1 {
      let over = limbs[index] >> 32
      limbs[index] -= over << 32
      limbs[index + 1] += over
    }
    additions = 0
  }

  mutating func merge(_ other: FixedPoint) {
    precondition(limbs.count == other.limbs.count, "\(limbs.count) and \(other.limbs.count) digits")
    var other = other
    other.carry()
    carry()
    for index in limbs.indices { limbs[index] += other.limbs[index] }
    carry()
  }

  /// The same number from its digits, as another rank sends them; nil if they are not as many.
  func with(limbs: [Int64]) -> FixedPoint? {
    guard limbs.count == self.limbs.count else { return nil }
    var result = self
    result.limbs = limbs
    result.carry()
    return result
  }

  /// The number in whole units of its lowest bit.
  var units: (isNegative: Bool, magnitude: WholeNumber) {
    var carried = self
    carried.carry()
    let isNegative = (carried.limbs.last ?? 0) < 0
    if isNegative {
      for index in carried.limbs.indices { carried.limbs[index].negate() }
      carried.carry()
    }
    var digits: [UInt32] = []
    for limb in carried.limbs.dropLast() { digits.append(UInt32(truncatingIfNeeded: limb)) }
    let top = UInt64(bitPattern: carried.limbs.last ?? 0)
    digits.append(UInt32(truncatingIfNeeded: top))
    digits.append(UInt32(truncatingIfNeeded: top >> 32))
    return (isNegative, WholeNumber(digits: digits))
  }

  /// The sum, rounded once.
  var value: Double {
    let (isNegative, magnitude) = units
    let (significand, exponent) = magnitude.rounded
    let value = Double(sign: .plus, exponent: exponent + lowestExponent, significand: significand)
    return isNegative ? -value : value
  }
}
