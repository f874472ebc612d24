/// Reads decimal numbers from bytes, correctly rounded (to nearest, ties to even), without a `String` for the usual
/// ones.
///
/// A number is an optional sign, digits with at most one point among or beside them, and an optional exponent. Spaces
/// and tabs around it are passed over. Groups of three digits before the point may be marked where the dialect has a mark
/// for them. Nothing else is a number: no words, no hexadecimal.
///
/// Three ways, from the fastest: one exact product or quotient where both sides fit a `Double` (Clinger, "How to read
/// floating point numbers accurately", 1990); a 128-bit product (Lemire, 2021); the standard library for what these
/// cannot decide.
struct DecimalParser: Sendable {
  /// What the bytes said, before rounding: (−1)^negative · mantissa · 10^exponent, and a little more where `isCut`.
  private struct Digits {
    var mantissa: UInt64 = 0
    var exponent = 0
    var isNegative = false
    /// Digits beyond the 19th were left out, and one of them was not zero.
    var isCut = false
  }

  let powersOfTen: [Double]
  private let powersOfFive = PowersOfFive.shared
  private let point: UInt8
  let thousands: UInt8?

  init(_ dialect: CSVDialect = CSVDialect()) {
    point = dialect.decimal
    thousands = dialect.thousands
    // All exact: 10²² = 5²² · 2²², and 5²² has 52 bits.
    powersOfTen = [
      1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19,
      1e20,
      1e21, 1e22,
    ]
  }

  /// The `Double` nearest to the number in `bytes[range]`, infinite if it is too large, or nil if it is no number.
  func double(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Double? {
    if let thousands, let plain = ungrouped(bytes, range, thousands) {
      return double(plain.span, 0..<plain.count)
    }
    guard let digits = digits(bytes, range) else { return nil }
    return double(digits, bytes, range)
  }

  /// The `Float` nearest to the number in `bytes[range]`, infinite if it is too large, or nil if it is no number.
  ///
  /// Rounding first to `Double` and then to `Float` is right unless the `Double` lies exactly between two `Float`s
  /// without being the number itself.
  func float(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Float? {
    if let thousands, let plain = ungrouped(bytes, range, thousands) {
      return float(plain.span, 0..<plain.count)
    }
    guard let digits = digits(bytes, range) else { return nil }
    let wide = double(digits, bytes, range)
    let isBetween = wide.bitPattern & 0x1fff_ffff == 0x1000_0000 || wide.magnitude < Double(Float.leastNormalMagnitude)
    if isBetween, digits.mantissa != 0 {
      let isExact = digits.exponent == 0 && !digits.isCut && digits.mantissa <= 1 << 53
      if !isExact { return Float(text(bytes, range)) }
    }
    return Float(wide)
  }

  @inline(__always)
  private func double(_ digits: Digits, _ bytes: Span<UInt8>, _ range: Range<Int>) -> Double {
    if digits.mantissa <= 1 << 53, !digits.isCut, digits.exponent >= -22, digits.exponent <= 22 {
      let magnitude = Double(Int64(digits.mantissa))
      let signed = digits.isNegative ? -magnitude : magnitude
      return digits.exponent < 0 ? signed / powersOfTen[-digits.exponent] : signed * powersOfTen[digits.exponent]
    }
    if let magnitude = product(digits.mantissa, digits.exponent),
      !digits.isCut || product(digits.mantissa + 1, digits.exponent) == magnitude
    {
      return digits.isNegative ? -magnitude : magnitude
    }
    // The grammar has been checked, so that the library reads the same number, also where it is infinite.
    return Double(text(bytes, range)) ?? .infinity
  }

  /// mantissa · 10^exponent by a 64 × 128-bit product, or nil where that does not decide the rounding.
  func product(_ mantissa: UInt64, _ exponent: Int) -> Double? {
    guard mantissa != 0, exponent >= -PowersOfFive.limit, exponent <= PowersOfFive.limit else { return nil }
    let shift = mantissa.leadingZeroBitCount
    let normalized = mantissa << UInt64(shift)
    let power = powersOfFive[exponent]
    var (high, low) = normalized.multipliedFullWidth(by: power.high)
    // Only where the nine bits below the rounded ones are all set can the rest of the power still carry into them.
    if high & 0x1ff == 0x1ff {
      let (sum, carry) = low.addingReportingOverflow(normalized.multipliedFullWidth(by: power.low).high)
      low = sum
      if carry { high += 1 }
    }
    if low == .max, exponent < -27 || exponent > 55 { return nil }
    let upper = Int(high >> 63)
    let cut = UInt64(upper + 64 - 52 - 3)
    var significand = high >> cut
    // ⌊log₂ 10^q⌋ + 63, for the exponents in the table.
    let binaryExponent = ((217_706 * exponent) >> 16) + 63 + upper - shift
    if low <= 1, exponent >= -4, exponent <= 23, significand & 3 == 1, significand << cut == high {
      significand &= ~1  // exactly between two numbers: to the even one
    }
    significand = (significand + significand & 1) >> 1
    var biased = binaryExponent + 1023
    if significand >= 1 << 53 {
      significand = 1 << 52
      biased += 1
    }
    return Double(bitPattern: UInt64(biased) << 52 | significand & ((1 << 52) - 1))
  }

  @inline(__always)
  private func digits(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Digits? {
    var position = range.lowerBound
    var end = range.upperBound
    while position < end, Self.isSpace(bytes[position]) { position += 1 }
    while end > position, Self.isSpace(bytes[end - 1]) { end -= 1 }
    var digits = Digits()
    if position < end, bytes[position] == UInt8(ascii: "-") || bytes[position] == UInt8(ascii: "+") {
      digits.isNegative = bytes[position] == UInt8(ascii: "-")
      position += 1
    }
    let whole = position
    position = Self.accumulate(bytes, position, end, &digits, isFraction: false)
    var count = position - whole
    if position < end, bytes[position] == point {
      position += 1
      let fraction = position
      position = Self.accumulate(bytes, position, end, &digits, isFraction: true)
      count += position - fraction
    }
    guard count > 0 else { return nil }
    if position < end, bytes[position] | 0x20 == UInt8(ascii: "e") {
      position += 1
      var isNegative = false
      if position < end, bytes[position] == UInt8(ascii: "-") || bytes[position] == UInt8(ascii: "+") {
        isNegative = bytes[position] == UInt8(ascii: "-")
        position += 1
      }
      guard position < end else { return nil }
      var exponent = 0
      while position < end, bytes[position] &- 48 < 10 {
        // Stops growing far beyond any number that is not zero or infinite, and far from an overflow.
        if exponent < 1_000_000 { exponent = exponent * 10 + Int(bytes[position] &- 48) }
        position += 1
      }
      digits.exponent += isNegative ? -exponent : exponent
    }
    guard position == end else { return nil }
    // Zero is zero with any exponent, and belongs on the fast path.
    if digits.mantissa == 0 { digits.exponent = 0 }
    return digits
  }

  /// Reads digits from `start` on and returns where they end.
  @inline(__always)
  private static func accumulate(
    _ bytes: Span<UInt8>, _ start: Int, _ end: Int, _ digits: inout Digits, isFraction: Bool
  ) -> Int {
    var position = start
    while position < end {
      let digit = bytes[position] &- 48
      guard digit < 10 else { break }
      // Below this bound 64 bits have room for one more digit.
      if digits.mantissa < 1_000_000_000_000_000_000 {
        digits.mantissa = digits.mantissa &* 10 &+ UInt64(digit)
        if isFraction { digits.exponent -= 1 }
      } else {
        if digit != 0 { digits.isCut = true }
        if !isFraction { digits.exponent += 1 }
      }
      position += 1
    }
    return position
  }

  private static func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 }

  /// The number as text for the standard library, without the spaces around it.
  private func text(_ bytes: Span<UInt8>, _ range: Range<Int>) -> String {
    var text = [UInt8]()
    for index in range where !Self.isSpace(bytes[index]) {
      text.append(bytes[index] == point ? UInt8(ascii: ".") : bytes[index])
    }
    return String(decoding: text, as: UTF8.self)
  }

  /// A number without the marks between its groups of digits; nil where there are none, or not just between groups of
  /// three, so that it is no number.
  private func ungrouped(_ bytes: Span<UInt8>, _ range: Range<Int>, _ mark: UInt8) -> [UInt8]? {
    var plain: [UInt8] = []
    // Digits since the sign or the last mark.
    var group = 0
    var marks = 0
    var isWhole = true
    for index in MissingValue.trimmed(bytes, range) {
      let byte = bytes[index]
      if isWhole, byte == mark {
        guard group > 0, group <= 3, marks == 0 || group == 3 else { return nil }
        marks += 1
        group = 0
        continue
      }
      if isWhole, byte &- 48 < 10 {
        group += 1
      } else if isWhole, !plain.isEmpty {
        guard marks == 0 || group == 3 else { return nil }
        isWhole = false
      }
      plain.append(byte)
    }
    guard marks > 0, !isWhole || group == 3 else { return nil }
    return plain
  }
}
