package import Data
import Files

extension KeptSample {
  /// Puts a sample into `directory`, in the place of one that is there; complete or not there. On rank 0.
  /// - Parameter write: writes the file of the rows, and what describes them, into a folder; says which rows they are.
  package static func publish(
    into directory: String, _ write: (_ folder: String) throws -> SampleRecord
  ) throws {
    let path = FileSystem.join(directory, name)
    let partial = FileSystem.join(directory, ".\(name).partial")
    try FileSystem.removeTree(partial)
    try FileSystem.createDirectory(partial)
    do {
      let record = try write(partial)
      try FileSystem.write(record.bytes, to: FileSystem.join(partial, SampleRecord.name))
      try FileSystem.synchronizeDirectory(partial)
      try FileSystem.removeTree(path)
      try FileSystem.rename(partial, to: path)
      try FileSystem.synchronizeDirectory(directory)
    } catch {
      try? FileSystem.removeTree(partial)
      throw error
    }
  }

  /// What `dataset.json` says of the file of the rows.
  package static func splits(rows: Int) -> [DatasetManifest.Split] {
    [.init(name: split, shards: [.init(file: shard, rows: rows)])]
  }
}
