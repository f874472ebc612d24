/// What the rows of a group have in common: the values of some columns, as bytes whose order is that of the values.
///
/// Columns are compared in their order; a missing value comes last.
struct GroupKey: Equatable, Sendable {
  enum Value: Equatable, Sendable {
    case missing
    case number(Double)
    case code(Int)
    case text(String)
  }

  private(set) var bytes: [UInt8] = []

  init() {}
  init(_ bytes: [UInt8]) { self.bytes = bytes }

  private static let present: UInt8 = 1
  private static let missing: UInt8 = 2

  mutating func removeAll() { bytes.removeAll(keepingCapacity: true) }

  /// Adds the value of one row in one column.
  mutating func append(_ column: Column, row: Int) {
    guard !column.isMissing(row) else { return bytes.append(Self.missing) }
    bytes.append(Self.present)
    switch column {
    case .numbers(let values): append(Self.ordered(values[row]))
    case .codes(let codes): append(UInt64(codes[row]))
    case .texts(let texts):
      // A zero ends a text, so that a text comes before those that begin with it; one inside is told from the end.
      for byte in (texts[row] ?? "").utf8 {
        bytes.append(byte)
        if byte == 0 { bytes.append(1) }
      }
      bytes.append(0)
      bytes.append(0)
    }
  }

  private mutating func append(_ word: UInt64) {
    for shift in stride(from: 56, through: 0, by: -8) { bytes.append(UInt8(truncatingIfNeeded: word >> UInt64(shift))) }
  }

  /// The bits of a number as one that is ordered as the number is; the two zeros are one.
  static func ordered(_ value: Double) -> UInt64 {
    let bits = (value + 0).bitPattern
    return bits >> 63 == 1 ? ~bits : bits | 1 << 63
  }

  /// The number with the bits that `ordered` made of it.
  static func number(_ bits: UInt64) -> Double { Double(bitPattern: bits >> 63 == 1 ? bits & ~(1 << 63) : ~bits) }

  /// The values again.
  /// - Parameter types: one a column, as the values were added.
  func values(_ types: [ColumnType]) -> [Value] {
    var place = 0
    return types.map { type in
      place += 1
      guard bytes[place - 1] == Self.present else { return .missing }
      switch type {
      case .text: return .text(text(&place))
      case .category: return .code(Int(word(&place)))
      case .integer, .real, .boolean, .dateTime:
        return .number(Self.number(word(&place)))
      }
    }
  }

  private func word(_ place: inout Int) -> UInt64 {
    var word: UInt64 = 0
    for _ in 0..<8 {
      word = word << 8 | UInt64(bytes[place])
      place += 1
    }
    return word
  }

  private func text(_ place: inout Int) -> String {
    var text: [UInt8] = []
    while bytes[place] != 0 || bytes[place + 1] != 0 {
      text.append(bytes[place])
      place += bytes[place] == 0 ? 2 : 1
    }
    place += 2
    return String(decoding: text, as: UTF8.self)
  }
}
