/// The values of one column for the rows of a block.
public enum Column: Equatable, Sendable {
  /// Integers, reals, booleans (0 and 1), dates (seconds since 1970 in UTC); NaN where the value is missing.
  case numbers([Double])
  /// Categories: places in the schema's dictionary.
  case codes([Int32])
  /// Texts; nil where the value is missing.
  case texts([String?])

  /// The code of a category that is missing.
  public static let missingCode: Int32 = -1
  /// The code of a category that the dictionary lacks, as rows to predict may have.
  public static let unknownCode: Int32 = -2

  public var count: Int {
    switch self {
    case .numbers(let values): values.count
    case .codes(let values): values.count
    case .texts(let values): values.count
    }
  }

  public func isMissing(_ row: Int) -> Bool {
    switch self {
    case .numbers(let values): values[row].isNaN
    case .codes(let values): values[row] == Self.missingCode
    case .texts(let values): values[row] == nil
    }
  }

  /// The values of the given rows, in the given order.
  public func selecting(_ rows: [Int]) -> Column {
    switch self {
    case .numbers(let values): .numbers(rows.map { values[$0] })
    case .codes(let values): .codes(rows.map { values[$0] })
    case .texts(let values): .texts(rows.map { values[$0] })
    }
  }
}
