/// The rows of a block with values out of range made missing, derived columns computed, and rows chosen that stay.
public struct CleanBlock: Sendable {
  /// What cleaning is for.
  public enum Purpose: Sendable {
    /// Rows to learn from or to be judged on: filters choose among them, and the target is there.
    case learning
    /// Rows to predict: every row counts, and the target is neither needed nor looked at.
    case prediction
  }

  /// The rows of the block, those that do not stay as well.
  public var rows: Int { block.rows }
  /// Whether each row stays.
  public internal(set) var kept: [Bool]
  /// The columns of the table, then the derived ones, as the pipeline has them.
  let columns: [Column]
  let block: ColumnBlock
  let purpose: Purpose
  private let targetColumn: Int?

  init(block: ColumnBlock, columns: [Column], kept: [Bool], purpose: Purpose, targetColumn: Int?) {
    self.block = block
    self.columns = columns
    self.kept = kept
    self.purpose = purpose
    self.targetColumn = targetColumn
  }

  /// The target of every row, with its missing values.
  public var target: Column? { targetColumn.map { columns[$0] } }

  /// The numbers of the rows that stay.
  public var keptRows: [Int] { kept.indices.filter { kept[$0] } }

  /// The error that a value of a row is wrong, at its place.
  /// - Parameter column: the place of the column in the schema; for a derived column, nil gives the row's.
  func error(row: Int, column: Int?, _ message: String, hint: String? = nil) -> PreparationError {
    block.error(row: row, column: column ?? 0, message, hint: hint)
  }
}
