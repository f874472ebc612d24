internal import Kernels

/// Reads records that hold nothing but plain numbers.
///
/// It is the usual case made fast, and decides nothing: whatever is not a row of plain numbers (a quote, a space, a missing
/// or malformed value, a field too many) is left to the tokenizer and the parser.
struct NumberRecord: Sendable {
  /// What is done with a field: numbers from 0 on are the place of its value in the row.
  enum Slot {
    /// It is the target.
    static let target: Int32 = -1
    /// Nothing is wanted of it.
    static let skip: Int32 = -2
  }

  /// What a reading came to.
  enum Outcome {
    /// The byte behind the record.
    case end(Int)
    /// This one is for the tokenizer.
    case isNotPlain
    /// The record does not end among the fields.
    case isBeyond
  }

  /// The target of a record, each correctly rounded.
  struct Target {
    var wide = 0.0
    var narrow: Float = 0
  }

  /// What comes next among the fields of a piece.
  struct Place {
    var field = 0
    /// Among the line ends.
    var line = 0
    /// Among the fields whose number is not known.
    var hard = 0

    /// Passes over what is before `byte`.
    mutating func skip(to byte: Int, _ fields: borrowing NumberFields) {
      while field < fields.count, Int(fields.ends[field]) < byte { field += 1 }
      while line < fields.lines.count, Int(fields.lines[line]) < byte { line += 1 }
    }
  }

  /// Fields that follow each other and so do their values.
  private struct Run {
    var field: Int
    var slot: Int
    var count: Int
  }

  /// For each field of the record.
  let slots: [Int32]
  private var runs: [Run] = []
  private var target: Int?
  private var skipped: [Int] = []
  /// A byte that a record must not start with.
  private let comment: UInt8?
  private let quote: UInt8?
  private let point: UInt8
  private let parser: DecimalParser
  /// 10⁻ⁿ, rounded.
  private let inversePowers: [Double]

  init(slots: [Int32], dialect: CSVDialect) {
    self.slots = slots
    point = dialect.decimal
    comment = dialect.comment
    quote = dialect.quote
    parser = DecimalParser(dialect)
    inversePowers = parser.powersOfTen.map { 1 / $0 }
    for (field, slot) in slots.enumerated() {
      if slot == Slot.target {
        target = field
      } else if slot < 0 {
        skipped.append(field)
      } else if let last = runs.last, last.field + last.count == field, last.slot + last.count == Int(slot) {
        runs[runs.count - 1].count += 1
      } else {
        runs.append(Run(field: field, slot: Int(slot), count: 1))
      }
    }
  }

  /// Reads the record that starts at `start`.
  ///
  /// - Parameters:
  ///   - bytes: with zeros behind the text, at least `TextWindow.padding` of them.
  ///   - fields: of a piece of the text.
  ///   - place: what is not before `start`; then what is behind the record, if it was read.
  ///   - values: receives the numbers from `offset` on.
  @inline(__always)
  func read(
    _ bytes: Span<UInt8>, _ fields: borrowing NumberFields, _ place: inout Place, from start: Int,
    into values: inout MutableSpan<Float>, at offset: Int, target: inout Target
  ) -> Outcome {
    let first = place.field
    let last = first + slots.count - 1
    guard last < fields.count, place.line < fields.lines.count, fields.start(of: first) == start else {
      return .isBeyond
    }
    let end = Int(fields.ends[last])
    guard Int(fields.lines[place.line]) == end, bytes[start] != comment else { return .isNotPlain }
    for field in skipped where bytes[fields.start(of: first + field)] == quote { return .isNotPlain }
    let numbers = fields.values
    for run in runs {
      let from = numbers.extracting(first + run.field..<first + run.field + run.count)
      let to = offset + run.slot
      for index in from.indices { values[to + index] = from[index] }
    }
    if let field = self.target { target = known(first + field, fields) }

    let hard = fields.hard
    while place.hard < hard.count, Int(hard[place.hard]) <= last {
      let field = Int(hard[place.hard])
      place.hard += 1
      guard field >= first, slots[field - first] != Slot.skip else { continue }
      let range = fields.start(of: field)..<Int(fields.ends[field])
      guard let value = number(bytes, range) else { return .isNotPlain }
      let slot = slots[field - first]
      if slot >= 0 {
        values[offset + Int(slot)] = value
      } else {
        guard let wide = parser.double(bytes, range) else { return .isNotPlain }
        target = Target(wide: wide, narrow: value)
      }
    }
    if bytes[end] == CSVDialect.carriageReturn {
      // Of the line end CRLF both bytes end a field.
      guard bytes[end + 1] == CSVDialect.lineFeed else { return .isNotPlain }
      guard last + 1 < fields.count else { return .isBeyond }
      place.field = last + 2
      place.line += 2
      return .end(end + 2)
    }
    place.field = last + 1
    place.line += 1
    return .end(end + 1)
  }

  /// The target in a field whose number is known.
  @inline(__always)
  private func known(_ field: Int, _ fields: borrowing NumberFields) -> Target {
    let narrow = fields.values[field]
    // The mantissa has 16 digits at most. Where it is exact, so is everything but the quotient (Clinger, 1990).
    let magnitude = Double(fields.mantissas[field]) / 1e8
    return Target(wide: narrow.sign == .minus ? -magnitude : magnitude, narrow: narrow)
  }

  /// The number in the bytes of `range`, correctly rounded; nil if there is none, or one that is not finite.
  private func number(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Float? {
    var position = range.lowerBound
    let value = number(bytes, &position, parser.powersOfTen.span, inversePowers.span)
    return position == range.upperBound ? value : nil
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
      // The digits at the upper end, zeros before them.
      mantissa = mantissa &* Self.wholePowers[count] &+ Self.number(word << UInt64(64 - 8 * count))
      position += count
      if count < 8 { return }
    }
  }

  /// The number that eight digits make, the first of them in the lowest byte: two, four and eight of them become one.
  @inline(__always)
  private static func number(_ digits: UInt64) -> UInt64 {
    let pairs = (digits &* 10) &+ (digits >> 8)
    return
      ((pairs & 0x0000_00ff_0000_00ff) &* 0x000f_4240_0000_0064
      &+ ((pairs >> 16) & 0x0000_00ff_0000_00ff) &* 0x0000_2710_0000_0001) >> 32
  }

  private static let wholePowers: [UInt64] = [
    1, 10, 100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000,
  ]
}
