internal import Kernels

/// Reads records that hold nothing but plain numbers in one pass over their bytes.
///
/// It is the usual case made fast, and decides nothing: whatever is not a row of plain numbers (a quote, a space, a missing
/// or malformed value, a field too many) is left to the tokenizer and the parser.
struct NumberRecord: Sendable {
  /// What is done with a field: numbers from 0 on are the place of its value in the row.
  enum Slot {
    /// Its place is wanted, not its value.
    static let raw: Int32 = -1
    /// Nothing is wanted of it.
    static let skip: Int32 = -2
  }

  /// For each field of the record.
  let slots: [Int32]
  private let delimiter: UInt8
  private let point: UInt8
  /// A byte that a record must not start with.
  private let comment: UInt8?
  private let quote: UInt8?
  private let parser: DecimalParser
  /// 10⁻ⁿ, rounded.
  private let inversePowers: [Double]

  init(slots: [Int32], dialect: CSVDialect) {
    self.slots = slots
    delimiter = dialect.delimiter
    point = dialect.decimal
    comment = dialect.comment
    quote = dialect.quote
    parser = DecimalParser(dialect)
    inversePowers = parser.powersOfTen.map { 1 / $0 }
  }

  /// Reads the record that starts at `start`.
  ///
  /// - Parameters:
  ///   - bytes: with a zero behind the text and at least eight bytes behind that.
  ///   - values: receives the numbers from `offset` on.
  ///   - raw: becomes the place of the field whose place is wanted.
  /// - Returns: where the next record starts, or zero if this one is for the tokenizer.
  @inline(__always)
  func read(
    _ bytes: Span<UInt8>, from start: Int, into values: inout MutableSpan<Float>, at offset: Int, raw: inout Range<Int>
  ) -> Int {
    let slots = slots.span
    let (powers, inverses) = (parser.powersOfTen.span, inversePowers.span)
    var position = start
    if bytes[position] == comment { return 0 }
    for index in slots.indices {
      let slot = slots[index]
      if slot >= 0 {
        guard let value = number(bytes, &position, powers, inverses) else { return 0 }
        values[offset + Int(slot)] = value
      } else {
        let first = position
        guard pass(bytes, &position) else { return 0 }
        if slot == Slot.raw { raw = first..<position }
      }
      let mark = bytes[position]
      position += 1
      if index < slots.count - 1 {
        guard mark == delimiter else { return 0 }
      } else {
        if mark == CSVDialect.carriageReturn {
          guard bytes[position] == CSVDialect.lineFeed else { return 0 }
          position += 1
        } else if mark != CSVDialect.lineFeed {
          return 0
        }
      }
    }
    return position
  }

  /// Goes to the mark behind a field that does not stand in quotes.
  @inline(__always)
  private func pass(_ bytes: Span<UInt8>, _ position: inout Int) -> Bool {
    if bytes[position] == quote { return false }
    while true {
      let byte = bytes[position]
      if byte == delimiter || byte == CSVDialect.lineFeed || byte == CSVDialect.carriageReturn { return true }
      // The end of what was read, or a byte that the tokenizer shall see.
      if byte == 0 { return false }
      position += 1
    }
  }

  /// The number at `position`, correctly rounded; then `position` is the byte behind it. Nil if there is none, or one
  /// that is not finite.
  @inline(__always)
  private func number(_ bytes: Span<UInt8>, _ position: inout Int, _ powers: Span<Double>, _ inverses: Span<Double>)
    -> Float?
  {
    let start = position
    let isNegative = bytes[position] == UInt8(ascii: "-")
    if isNegative { position += 1 }
    let first = position
    var mantissa: UInt64 = 0
    Self.digits(bytes, &position, &mantissa)
    var digits = position - first
    var exponent = 0
    if bytes[position] == point {
      position += 1
      let fraction = position
      Self.digits(bytes, &position, &mantissa)
      exponent = fraction - position
      digits -= exponent
    }
    guard digits > 0 else { return nil }
    if bytes[position] | 0x20 == UInt8(ascii: "e") {
      position += 1
      let sign = bytes[position]
      if sign == UInt8(ascii: "-") || sign == UInt8(ascii: "+") { position += 1 }
      var power = 0
      let firstDigit = position
      while bytes[position] &- 48 < 10, position - firstDigit < 4 {
        power = 10 * power + Int(bytes[position] &- 48)
        position += 1
      }
      guard position > firstDigit else { return nil }
      exponent += sign == UInt8(ascii: "-") ? -power : power
    }
    guard let magnitude = magnitude(mantissa, exponent, digits, powers, inverses) else {
      guard let value = parser.float(bytes, start..<position), value.isFinite else { return nil }
      return value
    }
    return Float(isNegative ? -magnitude : magnitude)
  }

  /// mantissa · 10^exponent as a `Double` that may be rounded once more, to a `Float`; nil where that takes more care.
  @inline(__always)
  private func magnitude(
    _ mantissa: UInt64, _ exponent: Int, _ digits: Int, _ powers: Span<Double>, _ inverses: Span<Double>
  ) -> Double? {
    let magnitude: Double
    if mantissa <= 1 << 53, digits <= 19, exponent >= -22, exponent <= 22 {
      let whole = Double(Int64(truncatingIfNeeded: mantissa))
      if mantissa == 0 || exponent == 0 && mantissa <= 1 << 24 { return whole }
      // Division takes long. A product with a rounded factor is off by two last places at most, which makes another `Float` only
      // this near to the middle between two.
      let near = exponent < 0 ? whole * inverses[-exponent] : whole * powers[exponent]
      let beyondMiddle = Int(truncatingIfNeeded: near.bitPattern & 0x1fff_ffff) - 0x1000_0000
      if beyondMiddle.magnitude > 4, near < 3e38, near > 1e-37 { return near }
      // One exact quotient or product (Clinger, 1990).
      magnitude = exponent < 0 ? whole / powers[-exponent] : near
    } else {
      guard digits <= 19, let product = parser.product(mantissa, exponent) else { return nil }
      magnitude = product
    }
    let isBetween = magnitude.bitPattern & 0x1fff_ffff == 0x1000_0000
    return isBetween || magnitude > 3e38 || magnitude < 1e-37 ? nil : magnitude
  }

  /// Reads digits, eight at a time.
  @inline(__always)
  private static func digits(_ bytes: Span<UInt8>, _ position: inout Int, _ mantissa: inout UInt64) {
    while true {
      let word = bytes.littleEndianWord(at: position) ^ 0x3030_3030_3030_3030
      // The high bit of each byte that is no digit; of those behind the first it may be wrong.
      let others = ((word &+ 0x7676_7676_7676_7676) | word) & 0x8080_8080_8080_8080
      let count = others.trailingZeroBitCount >> 3
      if count == 0 { return }
      if count == 1 {
        mantissa = mantissa &* 10 &+ (word & 0xff)
        position += 1
        return
      }
      // The digits at the upper end, zeros before them; then two, four and eight of them become one number.
      var value = word << UInt64(64 - 8 * count)
      value = (value &* 10) &+ (value >> 8)
      value =
        ((value & 0x0000_00ff_0000_00ff) &* 0x000f_4240_0000_0064
          &+ ((value >> 16) & 0x0000_00ff_0000_00ff) &* 0x0000_2710_0000_0001) >> 32
      mantissa = mantissa &* Self.wholePowers[count] &+ value
      position += count
      if count < 8 { return }
    }
  }

  private static let wholePowers: [UInt64] = [
    1, 10, 100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000,
  ]
}
