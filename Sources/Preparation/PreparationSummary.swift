/// What a preparation came to.
public struct PreparationSummary: Equatable, Sendable {
  public struct SplitSummary: Equatable, Sendable {
    public var name: SplitName
    public var rows: Int
    /// Rows of each class, in the order of the classes; empty for a regression.
    public var rowsPerClass: [Int]
    /// Names of the shards in the output directory.
    public var shards: [String]

    init(_ plan: ShardPlan, rowsPerClass: [Int]) {
      name = plan.split
      rows = plan.rows
      self.rowsPerClass = rowsPerClass
      shards = (0..<plan.shards).map { plan.name($0) }
    }
  }

  public struct Change: Equatable, Sendable {
    public var count: Int
    public var what: String
  }

  public struct MissingColumn: Equatable, Sendable {
    public var column: String
    public var rows: Int
  }

  public var output: String
  /// Rows of the data set, and what the inputs had more because a value was missing.
  public var rows: Int
  public var droppedRows: Int
  /// How many of the dropped rows lack a value in which column: the first one of each row, the target last.
  public var missing: [MissingColumn]
  /// What a recipe left out, filled and took for missing: how many, and what, in words.
  public var changes: [Change] = []
  public var columns: Int
  /// The names of the classes, or nil for a regression.
  public var classes: [String]?
  /// What the target was taken for, why, and how to have it otherwise, in words.
  public var decision: String
  public var splits: [SplitSummary]
  public var seconds: Double
  /// Bytes of the inputs, and of the shards.
  public var bytesRead: Int
  public var bytesWritten: Int
}
