/// All decimal digits of a double, exactly: every finite double is a finite decimal.
///
/// Rounding this expansion is correct by construction, which scaling by a power of ten in floating point is not.
struct DecimalExpansion {
  /// Digits without leading zeros, most significant first; empty for zero.
  private(set) var digits: [UInt8]
  /// How many of the digits stand before the decimal point; negative where zeros follow the point first.
  private(set) var point: Int

  /// The expansion of the magnitude of `x`, which has to be finite.
  init(magnitudeOf x: Double) {
    precondition(x.isFinite, "\(x) has no decimal expansion")
    guard x != 0 else {
      digits = []
      point = 0
      return
    }
    // x = significand * 2^exponent with an odd significand.
    let isNormal = x.exponentBitPattern > 0
    var significand = x.significandBitPattern | (isNormal ? 1 << 52 : 0)
    var exponent = (isNormal ? Int(x.exponentBitPattern) : 1) - 1_075
    let zeros = significand.trailingZeroBitCount
    significand >>= UInt64(zeros)
    exponent += zeros

    var integer = DecimalInteger(significand)
    if exponent >= 0 {
      for _ in 0..<exponent / 29 { integer.multiply(by: 1 << 29) }
      integer.multiply(by: 1 << UInt64(exponent % 29))
    } else {
      // significand / 2^k = significand * 5^k / 10^k; 5^12 is the largest power below 10^9.
      for _ in 0..<(-exponent / 12) { integer.multiply(by: 244_140_625) }
      for _ in 0..<(-exponent % 12) { integer.multiply(by: 5) }
    }
    digits = integer.digits
    point = digits.count + min(exponent, 0)
  }

  /// Keeps the first `count` digits (none if `count` is negative), rounded to the nearest and from the middle to even.
  mutating func round(toDigits count: Int) {
    guard count < digits.count else { return }
    guard count >= 0 else {
      digits = []
      return
    }
    let next = digits[count]
    let isOdd = count > 0 && digits[count - 1] % 2 == 1
    let up = next > 5 || (next == 5 && (isOdd || digits[(count + 1)...].contains { $0 > 0 }))
    digits.removeSubrange(count...)
    guard up else { return }
    while let last = digits.last {
      if last < 9 {
        digits[digits.count - 1] = last + 1
        return
      }
      digits.removeLast()
    }
    // All nines, or no digit at all: a one before them.
    digits = [1]
    point += 1
  }

  /// The digit `place` places after the decimal point (0 is the first), also before the first and after the last one.
  func digit(afterPoint place: Int) -> UInt8 {
    let index = point + place
    return digits.indices.contains(index) ? digits[index] : 0
  }
}

/// A natural number of any size, in limbs of nine decimal digits, least significant first.
private struct DecimalInteger {
  private static let base: UInt64 = 1_000_000_000
  private var limbs: [UInt64]

  init(_ value: UInt64) {
    limbs = []
    var rest = value
    while rest > 0 {
      limbs.append(rest % Self.base)
      rest /= Self.base
    }
  }

  /// Multiplies by `factor`, which is below 2^32, so that no product overflows.
  mutating func multiply(by factor: UInt64) {
    var carry: UInt64 = 0
    for index in limbs.indices {
      let product = limbs[index] * factor + carry
      limbs[index] = product % Self.base
      carry = product / Self.base
    }
    if carry > 0 { limbs.append(carry) }
  }

  /// Decimal digits, most significant first.
  var digits: [UInt8] {
    var result: [UInt8] = []
    for limb in limbs {
      var rest = limb
      for _ in 0..<9 {
        result.append(UInt8(rest % 10))
        rest /= 10
      }
    }
    while result.last == 0 { result.removeLast() }
    return result.reversed()
  }
}
