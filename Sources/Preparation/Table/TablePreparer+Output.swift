internal import Data
internal import Failures
internal import Files
internal import JSON
internal import MPI
internal import Settings

extension TablePreparer {
  /// Makes the data set that `request` asks for, as a whole or not at all. Collective.
  ///
  /// - Parameter describe: changes what `dataset.json` says.
  /// - Throws: a failure that all ranks share; then there is no data set, or the one that was there before.
  static func makeDataset(
    from source: Source, _ recipe: Recipe, _ request: PreparationRequest, _ ranks: borrowing some Ranks & ~Copyable,
    progress: @escaping (PreparationProgress) -> Void, describe: (inout DatasetManifest) -> Void = { _ in }
  ) throws -> PreparationSummary {
    let start = ContinuousClock.now
    let pipeline = try Agreement.alike {
      try Pipeline(recipe, schema: source.schema, target: recipe.target ?? request.target)
    }
    let output = try Agreement.alike { try SharedOutput(request.output, request.overwrite ? .replacing : .new, ranks) }
    var summary: PreparationSummary
    do {
      let preparer = TablePreparer(source, pipeline, request, progress: progress)
      let result = try preparer.write(into: output.partial, ranks)
      summary = result.summary
      var manifest = result.manifest
      describe(&manifest)
      let isRoot = ranks.rank == 0
      try Agreement.everywhere(ranks) {
        if isRoot { try manifest.write(toDirectory: output.partial) }
      }
    } catch {
      output.abandon()
      throw error
    }
    try Agreement.alike { try output.publish(ranks) }
    summary.seconds = (ContinuousClock.now - start) / .seconds(1)
    return summary
  }
}
