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
