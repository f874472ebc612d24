/// What the values of a column are.
public enum ColumnType: String, CaseIterable, Equatable, Sendable {
  /// Whole numbers that 64 bits hold.
  case integer
  case real
  /// `true` and `false`, in any case.
  case boolean
  /// Texts of which there are few: stored as their place in the column's dictionary.
  case category
  /// Dates, with or without a time of day, as ISO 8601 writes them.
  case dateTime = "date_time"
  /// Any other text.
  case text

  /// Whether the values are `Column.numbers`.
  public var isNumeric: Bool {
    switch self {
    case .integer, .real, .boolean, .dateTime: true
    case .category, .text: false
    }
  }
}

extension ColumnType {
  private static let words: [(text: [UInt8], value: Double)] = [(Array("true".utf8), 1), (Array("false".utf8), 0)]

  /// 1 for `true` and 0 for `false`, in any case, or nil for anything else.
  static func boolean(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Double? {
    guard range.count == 4 || range.count == 5 else { return nil }
    word: for word in words where word.text.count == range.count {
      for index in word.text.indices where bytes[range.lowerBound + index] | 0x20 != word.text[index] { continue word }
      return word.value
    }
    return nil
  }
}
