internal import Failures
public import MPI

extension Preparer {
  /// Prepares the data set as a recipe says. Collective.
  /// - Throws: a failure that all ranks share; or `MPIError`.
  func run(
    _ recipe: Recipe, on ranks: borrowing some Ranks & ~Copyable, progress: @escaping (PreparationProgress) -> Void
  ) throws -> PreparationSummary {
    try request.check()
    let source = try source(recipe, on: ranks, progress: progress).source
    return try TablePreparer.makeDataset(from: source, recipe, request, ranks, progress: progress)
  }

  /// The inputs as a table whose columns have the types that they hold or that the recipe asks for. Collective.
  func source(
    _ recipe: Recipe, on ranks: borrowing some Ranks & ~Copyable, progress: @escaping (PreparationProgress) -> Void
  ) throws -> (source: CSVTableSource, table: RawTable) {
    let missing = MissingValue(recipe.missingValues)
    let table = try RawTable(
      try InputTables(request, on: ranks), missing: missing, target: nil, completeOnly: false, ranks, progress: progress
    )
    let schema = try table.profile.schema { recipe.type(of: $0) }
    let source = try CSVTableSource(
      table, schema, malformed: schema.names.map { recipe.malformed($0) }, missingValues: missing)
    return (source, table)
  }

  /// Groups the rows of the inputs. Collective; the groups are on rank 0.
  ///
  /// Whole numbers that a double does not hold would make one group of several; a column of them is taken for text.
  public func groups(
    _ count: GroupCount, on ranks: borrowing some Ranks & ~Copyable, progress: @escaping (PreparationProgress) -> Void
  ) throws -> GroupReport {
    try request.checkInputs()
    let recipe = self.recipe ?? Recipe()
    let missing = self.recipe.map { MissingValue($0.missingValues) } ?? request.missingValues
    let table = try RawTable(
      try InputTables(request, on: ranks), missing: missing, target: nil, completeOnly: false, ranks, progress: progress
    )
    let found = try table.profile.schema { recipe.type(of: $0) }
    let isLarge = table.profile.columns.map { max(abs($0.moments.minimum), abs($0.moments.maximum)) >= 0x1p53 }
    let large = Set(
      found.columns.indices.filter { found.columns[$0].type == .integer && isLarge[$0] }.map { found.columns[$0].name })
    let schema = try table.profile.schema { large.contains($0) && count.by.contains($0) ? .text : recipe.type(of: $0) }
    let source = try CSVTableSource(
      table, schema, malformed: schema.names.map { recipe.malformed($0) }, missingValues: missing)
    return try count.report(of: source, ranks, progress: progress)
  }
}
