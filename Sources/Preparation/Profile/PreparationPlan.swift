/// What a preparation would do, found without writing anything.
public struct PreparationPlan: Equatable, Sendable {
  public struct Input: Equatable, Sendable {
    public var path: String
    public var bytes: Int
    public var dialect: CSVDialect
  }

  /// What would be written.
  public struct Output: Equatable, Sendable {
    /// What the target is taken for, and why.
    public var decision: String
    /// Rows of the data set, and what the inputs have more because a value is missing.
    public var rows: Int
    public var droppedRows: Int
    public var features: Int
    /// The names of the classes; nil for a regression.
    public var classes: [String]?
    public var splits: [Split]
    /// What a recipe leaves out, fills and takes for missing: how many, and what, in words.
    public var changes: [PreparationSummary.Change] = []
  }

  public struct Split: Equatable, Sendable {
    public var name: SplitName
    public var rows: Int
    public var shards: Int
  }

  public var inputs: [Input]
  public var rows: Int
  public var columns: [TableProfile.ColumnSummary]
  /// The columns, of the table or derived, that a recipe makes features of; nil without one.
  public var featureColumns: [String]?
  /// Nil where no target was named.
  public var output: Output?
  /// What stands in the way of the output, or nil.
  public var problem: PreparationError?

  /// What a table holds, its columns taken for the types of `schema`.
  init(_ table: RawTable, _ schema: Schema) {
    inputs = zip(table.tables.tables, table.tables.sizes).map { Input(path: $0.path, bytes: $1, dialect: $0.dialect) }
    rows = table.profile.rows
    columns = table.profile.summaries(schema, table.tables.tables[0].dialect)
  }
}

extension PreparationPlan {
  /// A time as `2026-01-31 12:00:00`, from the seconds since 1970 in UTC.
  public static func timestamp(_ seconds: Double) -> String {
    let whole = Int(seconds.rounded(.down))
    let days = whole >= 0 ? whole / 86_400 : (whole - 86_399) / 86_400
    let date = CivilDate(daysSince1970: days)
    let second = whole - days * 86_400
    func digits(_ value: Int, _ count: Int) -> String {
      let text = "\(value)"
      return String(repeating: "0", count: max(0, count - text.utf8.count)) + text
    }
    return "\(digits(date.year, 4))-\(digits(date.month, 2))-\(digits(date.day, 2)) "
      + "\(digits(second / 3_600, 2)):\(digits(second / 60 % 60, 2)):\(digits(second % 60, 2))"
  }
}
