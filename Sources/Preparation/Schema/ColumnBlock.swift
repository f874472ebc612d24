/// Consecutive rows of a table, by column.
public struct ColumnBlock: Sendable {
  public var rows: Int
  /// In the order of the schema; each has `rows` values.
  public var columns: [Column]
  /// Where the rows stand in their file; nil for rows that come from none.
  private var origin: RowOrigin?

  public init(rows: Int, columns: [Column]) {
    self.init(rows: rows, columns: columns, origin: nil)
  }

  init(rows: Int, columns: [Column], origin: RowOrigin?) {
    for column in columns { precondition(column.count == rows, "\(column.count) values for \(rows) rows") }
    self.rows = rows
    self.columns = columns
    self.origin = origin
  }

  /// The rows with these numbers, in the given order.
  public func selecting(_ numbers: [Int]) -> ColumnBlock {
    ColumnBlock(
      rows: numbers.count, columns: columns.map { $0.selecting(numbers) }, origin: origin?.selecting(numbers))
  }

  /// What the file has for a row and column; nil for rows that come from none.
  func text(row: Int, column: Int) -> String? { origin?.text(row: row, column: column) }

  /// The error that the value of a row and column is wrong, at its place in the file where it has one.
  ///
  /// - Parameter column: the place of the column in the schema that the table was read with.
  public func error(row: Int, column: Int, _ message: String, hint: String? = nil) -> PreparationError {
    PreparationError(.invalid, at: origin.flatMap { $0.place(row: row, column: column) }, message, hint: hint)
  }
}
