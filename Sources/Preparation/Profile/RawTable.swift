internal import MPI

/// A table of CSV files whose columns may be anything: its schema, and what its columns hold.
struct RawTable {
  let tables: InputTables
  let profile: TableProfile
  /// What the target is, where one was named.
  let target: TargetScan?
  /// Where the records of each block start in its file.
  let starts: [Int]
  /// For each file the field of each column.
  let fields: [[Int]]

  /// Reads all inputs. Collective.
  ///
  /// - Parameters:
  ///   - target: the column to describe for `TargetScan`; it must be there.
  ///   - completeOnly: only the targets of rows with all values count.
  /// - Throws: `PreparationError`, the same on every rank.
  init(
    _ tables: InputTables, missing: MissingValue, target: String?, completeOnly: Bool,
    _ ranks: borrowing some Ranks & ~Copyable,
    progress: @escaping (PreparationProgress) -> Void
  ) throws {
    self.tables = tables
    let fields = try tables.fields()
    self.fields = fields
    if let target {
      let first = tables.tables[0]
      _ = try ColumnSelection(header: first.header, path: first.path, names: [], target: target)
    }
    let share = TextShare(tables, rank: ranks.rank, ranks: ranks.size)
    let visitor = try share.readFirst(ranks) { () throws(PreparationError) in
      ProfileScan(
        share, fields: fields, missing: missing, target: target, completeOnly: completeOnly, progress: progress)
    }.visitor
    guard let scan = visitor else { preconditionFailure("a reading without an error has a visitor") }
    starts = try ranks.allGather(scan.starts).flatMap { $0 }
    let names = scan.profile.names
    profile = try TableProfile(
      decoding: ranks.fold(scan.profile.encoded()) { (before, behind) in
        var sum = try TableProfile(decoding: before, names: names)
        sum.merge(try TableProfile(decoding: behind, names: names))
        return sum.encoded()
      }, names: names)
    self.target = try scan.target.map { try $0.merged(ranks) }
  }
}

extension InputTables {
  /// For each file the field of each column of the first.
  /// - Throws: `PreparationError` if a file has other columns.
  func fields() throws(PreparationError) -> [[Int]] {
    let first = tables[0]
    var fields: [[Int]] = []
    for table in tables {
      try checkColumns(of: table)
      fields.append(
        try ColumnSelection(header: table.header, path: table.path, names: first.header.map(\.name), target: nil)
          .features)
    }
    return fields
  }

  /// A column too many would be dropped in silence; one too few is found when it is looked for.
  func checkColumns(of table: CSVTable) throws(PreparationError) {
    let known = Set(tables[0].header.map(\.name))
    for column in table.header where !known.contains(column.name) {
      throw PreparationError(
        .invalid, at: column.place, "column \(quoted(column.name)) is not in '\(tables[0].path)'",
        hint: "all files need the same columns")
    }
  }
}
