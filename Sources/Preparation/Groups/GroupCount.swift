internal import Failures
internal import MPI
internal import Text

/// What is wanted of the groups of a table.
public struct GroupCount: Equatable, Sendable {
  /// The columns whose values make the groups.
  public var by: [String]
  public var aggregates: [Aggregate]
  /// About how many bytes the groups may take on one rank.
  public var memoryLimit = 1 << 30

  public init(by: [String], aggregates: [Aggregate] = []) {
    self.by = by
    self.aggregates = aggregates
  }

  /// Counts the rows of each group, over all ranks. Collective.
  ///
  /// - Parameter progress: called after each block with what this rank has read.
  /// - Returns: the groups on rank 0; none on the others.
  /// - Throws: a failure that all ranks share: a column that is not there or is no number, rows that cannot be read, more
  ///   groups than the memory is meant for.
  func report(
    of source: some TableSource, _ ranks: borrowing some Ranks & ~Copyable,
    progress: (PreparationProgress) -> Void
  ) throws -> GroupReport {
    let plan = try Agreement.alike { try self.plan(source.schema) }
    let share = source.share(of: ranks.rank, among: ranks.size)
    let total = share.reduce(0) { $0 + source.bytes(of: $1) }
    var table = GroupTable(plan)
    try Agreement.everywhere(ranks) {
      var (bytes, rows) = (0, 0)
      for block in share {
        let values = try source.read(block)
        try table.observe(values)
        bytes += source.bytes(of: block)
        rows += values.rows
        progress(PreparationProgress(phase: .checking, bytes: bytes, totalBytes: total, rows: rows))
      }
    }
    try table.gather(ranks)
    return GroupReport(table.sorted, schema: source.schema, keys: plan.keys, aggregates: aggregates)
  }

  private func plan(_ schema: Schema) throws(PreparationError) -> GroupTable.Plan {
    var keys: [Int] = []
    for name in by { keys.append(try place(of: name, schema, "--count-by")) }
    guard Set(keys).count == keys.count else {
      throw PreparationError(.usage, "--count-by names a column twice")
    }
    var columns: [(function: Aggregate.Function, column: Int)] = []
    for aggregate in aggregates {
      let column = try place(of: aggregate.column, schema, "--aggregate")
      let type = schema.columns[column].type
      guard type.isNumeric, type != .dateTime else {
        throw PreparationError(
          .usage,
          "--aggregate \(aggregate.function.rawValue):\(aggregate.column): the column is \(type.rawValue), not numbers")
      }
      columns.append((aggregate.function, column))
    }
    return GroupTable.Plan(keys: keys, aggregates: columns, limit: memoryLimit)
  }

  private func place(of name: String, _ schema: Schema, _ option: String) throws(PreparationError) -> Int {
    if let place = schema.index(of: name) { return place }
    throw PreparationError(
      .usage, "\(option): there is no column \(quoted(name))",
      hint: closestHint(name, schema.names))
  }

  private func closestHint(_ name: String, _ names: [String]) -> String {
    if let near = closest(to: name, among: names) { return "did you mean \(quoted(near))?" }
    return "the columns are " + names.prefix(20).map { quoted($0) }.joined(separator: ", ")
  }
}
