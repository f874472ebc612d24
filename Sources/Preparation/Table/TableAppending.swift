internal import Data
internal import Failures
internal import Files
public import MPI

/// Adds the rows of CSV files to a data set, prepared as its own rows were: with its schema, its categories and all that was
/// fitted on its training rows, dealt to its splits by its rule.
///
/// The rows become shards beside those that are there. `dataset.json` takes them up last and in one step, so that the data set is
/// the old one or the new one at any moment.
public struct TableAppending: Sendable {
  private let request: PreparationRequest

  /// - Parameter request: its output is the data set; what it says of the target and the splits is not looked at.
  public init(_ request: PreparationRequest) { self.request = request }

  /// Adds the rows. Collective.
  /// - Throws: a failure that all ranks share; then the data set is what it was.
  public func run(
    on ranks: borrowing some Ranks & ~Copyable, progress: @escaping (PreparationProgress) -> Void
  ) throws -> PreparationSummary {
    let start = ContinuousClock.now
    try Agreement.alike { try request.check() }
    let output = try Agreement.alike { try SharedOutput(request.output, .adding, ranks) }
    var summary: PreparationSummary
    do {
      summary = try write(into: output, ranks, progress: progress)
    } catch {
      output.abandon()
      throw error
    }
    try Agreement.alike { try output.publish(ranks) }
    summary.seconds = (ContinuousClock.now - start) / .seconds(1)
    return summary
  }

  private func write(
    into output: SharedOutput, _ ranks: borrowing some Ranks & ~Copyable,
    progress: @escaping (PreparationProgress) -> Void
  ) throws -> PreparationSummary {
    let path = FileSystem.join(output.path, DatasetManifest.fileName)
    let bytes = try Agreement.fromRoot(ranks) { try FileSystem.read(path, limit: DatasetManifest.largestFile) }
    let earlier = try Agreement.alike {
      try EarlierDataset(try DatasetManifest(parsing: bytes, path: path), path: request.output, request)
    }
    var adapted = request
    if adapted.dialect == CSVDialect() { adapted.dialect = earlier.fitted.dialect }
    adapted.delimiter = adapted.delimiter ?? adapted.dialect.rareDelimiter
    let tables = try InputTables(adapted, on: ranks)
    try Agreement.alike { try earlier.checkColumns(tables) }
    let table = try RawTable(
      tables, missing: earlier.missingValues, target: nil, completeOnly: false, ranks, progress: progress)
    let fitted = try Agreement.alike { try earlier.fitted(for: table.profile) }
    let schema = fitted.pipeline.schema
    let recipe = fitted.pipeline.recipe
    let source = try Agreement.alike {
      try CSVTableSource(
        table, schema, malformed: schema.names.map { recipe.malformed($0) }, missingValues: earlier.missingValues)
    }
    let preparer = TablePreparer(source, fitted, addingTo: earlier, adapted, progress: progress)
    let result = try preparer.write(into: output.partial, ranks)
    let isRoot = ranks.rank == 0
    try Agreement.everywhere(ranks) {
      if isRoot { try result.manifest.write(toDirectory: output.partial) }
    }
    return result.summary
  }
}
