/// The 128 leading bits of the powers of five that a decimal number of any usual size needs, for `DecimalParser`.
///
/// Lemire, "Number parsing at a gigabyte per second", Software: Practice and Experience 51 (2021), section 5, defines
/// the table: powers with a positive exponent are cut, reciprocals down to 5⁻²⁷ are rounded up, smaller ones are cut.
/// It is computed here rather than listed: 64 multiplications and 64 divisions by five.
struct PowersOfFive: Sendable {
  /// Exponents beyond ±`limit` are left to the slow path.
  static let limit = 64
  static let shared = PowersOfFive()

  /// The 128 bits of 5^q, the highest one set, at `q + limit`.
  private let entries: [UInt128]

  private init() {
    var entries = [UInt128](repeating: UInt128(1) << 127, count: 2 * Self.limit + 1)
    // Little-endian limbs. 5⁶⁴ has 149 bits.
    var power: [UInt64] = [1, 0, 0]
    // ⌊2⁵¹¹ / 5ⁿ⌋: dividing the floor again gives the floor of the whole quotient, so that nothing accumulates.
    var reciprocal = [UInt64](repeating: 0, count: 8)
    reciprocal[7] = 1 << 63
    for exponent in 1...Self.limit {
      var carry: UInt64 = 0
      for limb in power.indices {
        let product = power[limb].multipliedFullWidth(by: 5)
        let (sum, overflow) = product.low.addingReportingOverflow(carry)
        power[limb] = sum
        carry = product.high + (overflow ? 1 : 0)
      }
      entries[Self.limit + exponent] = Self.leadingBits(of: power)

      var remainder: UInt64 = 0
      for limb in reciprocal.indices.reversed() {
        let quotient = UInt64(5).dividingFullWidth((remainder, reciprocal[limb]))
        reciprocal[limb] = quotient.quotient
        remainder = quotient.remainder
      }
      entries[Self.limit - exponent] = Self.leadingBits(of: reciprocal) + (exponent <= 27 ? 1 : 0)
    }
    self.entries = entries
  }

  /// The high and the low half of 5^`exponent`.
  /// - Precondition: `exponent` is in −`limit`...`limit`.
  subscript(exponent: Int) -> (high: UInt64, low: UInt64) {
    let entry = entries[exponent + Self.limit]
    return (UInt64(truncatingIfNeeded: entry >> 64), UInt64(truncatingIfNeeded: entry))
  }

  /// The first 128 bits of a number in little-endian limbs, from its highest one on.
  private static func leadingBits(of limbs: [UInt64]) -> UInt128 {
    guard let top = limbs.lastIndex(where: { $0 != 0 }) else { return 0 }
    func limb(_ index: Int) -> UInt64 { index >= 0 ? limbs[index] : 0 }
    let bits = UInt128(limb(top)) << 64 | UInt128(limb(top - 1))
    let shift = limb(top).leadingZeroBitCount
    guard shift > 0 else { return bits }
    return bits << UInt128(shift) | UInt128(limb(top - 2) >> UInt64(64 - shift))
  }
}
