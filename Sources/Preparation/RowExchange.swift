internal import Files
internal import Kernels

/// The rows that a rank hands to those that write them, in files beside the shards: for each split its rows in their order, with
/// gaps (which take no room) where nobody asks for them.
struct RowExchange {
  let directory: String
  let columns: Int

  /// The files of one rank and split.
  struct Files {
    let features: RowFile
    let targets: RowFile
  }

  func create(rank: Int, _ split: SplitName) throws(PreparationError) -> Files {
    Files(
      features: try RowFile(creating: path(rank, split, "features"), width: columns),
      targets: try RowFile(creating: path(rank, split, "targets"), width: 1))
  }

  func open(rank: Int, _ split: SplitName) throws(PreparationError) -> Files {
    Files(
      features: try RowFile(opening: path(rank, split, "features"), width: columns),
      targets: try RowFile(opening: path(rank, split, "targets"), width: 1))
  }

  private func path(_ rank: Int, _ split: SplitName, _ what: String) -> String {
    FileSystem.join(directory, "\(split.rawValue)-\(what)-\(rank)\(RowSpill.nameEnding)")
  }
}
