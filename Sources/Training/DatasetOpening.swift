public import Data
import Failures
public import MPI

/// Opens a data set on all ranks: rank 0 finds the files, the ranks share the work of looking into them, and all know all shards.
public struct OpenedDataset: Sendable {
  public let source: ResolvedSource
  public let dataset: ShardedDataset

  /// Collective. Every rank gets the same, or throws the same failure.
  /// - Parameters:
  ///   - defaultSplit: the split that is taken where none is named and the data set has splits.
  ///   - scanLabels: look for the labels' range where no `dataset.json` names the classes.
  public init(
    _ source: DataSource, defaultSplit: String = DataSource.defaultSplit, wantsTargets: Bool = true,
    scanLabels: Bool = true, world: borrowing Communicator
  ) throws {
    let (rank, ranks) = (world.rank, world.size)
    let bytes = try Agreement.fromRoot(world) { try source.resolve(defaultSplit: defaultSplit).encoded() }
    let resolved = try Agreement.alike { try ResolvedSource(decoding: bytes) }
    let targets = wantsTargets ? resolved.targets : nil
    let described = try Agreement.gathering(world) {
      ShardDescription.encode(
        try ShardInspector.describe(
          stride(from: rank, to: resolved.paths.count, by: ranks).map { resolved.paths[$0] },
          features: resolved.features, targets: targets, scanLabels: scanLabels && resolved.manifest?.target == nil,
          trusted: resolved.isTrusted))
    }
    self.source = resolved
    dataset = try Agreement.alike {
      let byRank = try described.map { try ShardDescription.decode($0) }
      return try ShardedDataset(
        descriptions: resolved.paths.indices.map { byRank[$0 % ranks][$0 / ranks] },
        describedBy: resolved.paths.indices.map { $0 % ranks }, source: resolved)
    }
  }
}
