/// A natural number of any size, as far as variances of exact sums need it.
struct WholeNumber: Equatable, Sendable {
  /// To the base 2³², least significant first, without zeros at the end.
  private(set) var digits: [UInt32]

  init(digits: [UInt32]) {
    self.digits = digits
    trim()
  }

  private mutating func trim() { while digits.last == 0 { digits.removeLast() } }

  static func * (a: WholeNumber, b: WholeNumber) -> WholeNumber {
    var product = [UInt32](repeating: 0, count: a.digits.count + b.digits.count)
    for (i, digit) in a.digits.enumerated() {
      var carry: UInt64 = 0
      for (j, other) in b.digits.enumerated() {
        let sum = UInt64(digit) * UInt64(other) + UInt64(product[i + j]) + carry
        product[i + j] = UInt32(truncatingIfNeeded: sum)
        carry = sum >> 32
      }
      product[i + b.digits.count] = UInt32(carry)
    }
    return WholeNumber(digits: product)
  }

  /// The difference, or zero where `b` is larger.
  static func - (a: WholeNumber, b: WholeNumber) -> WholeNumber {
    var difference = a.digits
    var borrow: Int64 = 0
    for index in difference.indices {
      let other = index < b.digits.count ? Int64(b.digits[index]) : 0
      var digit = Int64(difference[index]) - other - borrow
      borrow = digit < 0 ? 1 : 0
      digit += borrow << 32
      difference[index] = UInt32(truncatingIfNeeded: digit)
    }
    guard borrow == 0, b.digits.count <= a.digits.count else { return WholeNumber(digits: []) }
    return WholeNumber(digits: difference)
  }

  init(_ value: Int) {
    let magnitude = UInt64(value.magnitude)
    self.init(digits: [UInt32(truncatingIfNeeded: magnitude), UInt32(truncatingIfNeeded: magnitude >> 32)])
  }

  /// The number as significand · 2^exponent, correctly rounded; the significand is 0, or from 2⁶³ to 2⁶⁴.
  var rounded: (significand: Double, exponent: Int) {
    guard let top = digits.last else { return (0, 0) }
    // The upper 64 bits; what is cut off below them makes the lowest one odd, which decides a tie as the whole number would.
    let zeros = UInt64(top.leadingZeroBitCount)
    func digit(_ back: Int) -> UInt64 { back <= digits.count ? UInt64(digits[digits.count - back]) : 0 }
    var bits = digit(1) << 32 | digit(2)
    if zeros > 0 { bits = bits << zeros | digit(3) >> (32 - zeros) }
    let isCut = digits.count > 3 && digits.dropLast(3).contains { $0 != 0 }
    let rest = zeros > 0 ? digit(3) << (32 + zeros) & 0xffff_ffff_ffff_ffff : digit(3)
    if isCut || rest != 0 { bits |= 1 }
    return (Double(bits), 32 * (digits.count - 2) - Int(zeros))
  }
}
