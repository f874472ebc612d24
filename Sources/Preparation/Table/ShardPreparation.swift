public import Data
internal import Failures
internal import Files
public import MPI

/// Makes a data set from the rows of another one, or of any HDF5 files: cut and stored anew, and prepared by a recipe if there
/// is one.
public struct ShardPreparation: Sendable {
  private let source: DataSource
  private let recipe: Recipe?
  private let request: PreparationRequest

  /// - Parameters:
  ///   - recipe: nil takes the rows as they are, and keeps what the data set says of them.
  ///   - request: its inputs are not looked at; an empty target takes the targets of the files.
  public init(_ source: DataSource, recipe: Recipe?, request: PreparationRequest) {
    self.source = source
    self.recipe = recipe
    self.request = request
  }

  /// Makes the data set. Collective.
  /// - Throws: a failure that all ranks share; then there is no data set, or the one that was there before.
  public func run(
    on ranks: borrowing some Ranks & ~Copyable, progress: @escaping (PreparationProgress) -> Void
  ) throws -> PreparationSummary {
    let table = try ShardTableSource(source, ranks)
    var request = self.request
    try Agreement.alike {
      try checkOutput()
      try request.checkShards()
      try checkRecipe(table)
      if request.target.isEmpty {
        guard let target = recipe?.target ?? table.target else {
          throw PreparationError(
            .usage, "'\(source.path)' has no targets", hint: "--target names the column to predict")
        }
        request.target = target
      }
    }
    return try TablePreparer.makeDataset(from: table, recipe ?? Recipe(), request, ranks, progress: progress) {
      manifest in
      guard recipe == nil, let old = table.manifest else { return }
      // The rows are what they were, and so is what is said of them.
      manifest.preparation = old.preparation
      manifest.transformations = old.transformations
      manifest.generator = old.generator
      manifest.name = old.name
      manifest.seed = old.seed
    }
  }

  /// Groups the rows. Collective; the groups are on rank 0.
  public func groups(
    _ count: GroupCount, on ranks: borrowing some Ranks & ~Copyable, progress: (PreparationProgress) -> Void
  ) throws -> GroupReport {
    try count.report(of: ShardTableSource(source, ranks), ranks, progress: progress)
  }

  /// The output would take the place of what is read.
  private func checkOutput() throws(PreparationError) {
    let isSame = try PreparationError.translating { () throws(FilesError) in
      try FileSystem.absolute(source.path) == FileSystem.absolute(request.output)
    }
    guard !isSame else { throw PreparationError(.usage, "--output '\(request.output)' is what --from reads") }
  }

  private func checkRecipe(_ table: ShardTableSource) throws(PreparationError) {
    guard recipe != nil, let manifest = table.manifest, manifest.preparation != nil || manifest.isNormalized else {
      return
    }
    throw PreparationError(
      .usage, "'\(source.path)' was prepared by a recipe already: what it fitted would be lost",
      hint: "prepare the raw rows with another recipe; without one, --from only stores the rows anew")
  }
}
