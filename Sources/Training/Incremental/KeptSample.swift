import Data
import Failures
import Files
import JSON
import MPI

/// The sample of its rows that a training left beside its model: a data set, and which rows of all it holds.
package struct KeptSample: Sendable {
  /// The folder of the sample, beside the model file.
  package static let name = "replay"
  static let split = "train"
  /// The one file of rows in it.
  package static let shard = DatasetManifest.shardName(split: split, index: 0, of: 1)

  let opened: OpenedDataset
  let record: SampleRecord

  /// Reads the sample in `folder`; nil where there is none. Collective: every rank gets the same, or throws the same failure.
  init?(beside folder: String, world: borrowing Communicator) throws {
    let path = FileSystem.join(folder, Self.name)
    let bytes = try Agreement.fromRoot(world) {
      guard try FileSystem.status(of: path) != nil else { return [] }
      return try FileSystem.read(FileSystem.join(path, SampleRecord.name), limit: SampleRecord.mostBytes)
    }
    guard !bytes.isEmpty else { return nil }
    record = try Agreement.alike { try SampleRecord(parsing: bytes, path: FileSystem.join(path, SampleRecord.name)) }
    opened = try OpenedDataset(DataSource(path: path), scanLabels: false, world: world)
    let (kept, rows) = (record.numbers.count, opened.dataset.rows)
    try Agreement.alike {
      guard kept == rows else {
        throw DataError(.invalid, "'\(path)' has \(rows) rows, and \(SampleRecord.name) names \(kept)")
      }
    }
  }
}
