internal import Failures
internal import MPI

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
}
