import Data
import Failures
import Files
import Kernels
import MPI

/// Shards of random rows in a temporary directory.
enum SyntheticShards {
  /// Writes `rows` rows in `shards` files below `directory`: features uniform in -1...1, targets a class index.
  /// - Parameter compression: the level of deflate; nil for none.
  static func write(
    _ directory: String, rows: Int, columns: Int, classes: Int, shards: Int, compression: Int? = nil
  ) throws {
    try FileSystem.createDirectory(directory)
    let blockRows = 1024
    var features = FloatBuffer(count: blockRows * columns)
    var targets = FloatBuffer(count: blockRows)
    for shard in 0..<shards {
      let end = rows * (shard + 1) / shards
      var row = rows * shard / shards
      let name = DatasetManifest.shardName(split: "train", index: shard, of: shards)
      let writer = try ShardWriter(
        path: FileSystem.join(directory, name), columns: columns, targets: .labels,
        options: ShardWriter.Options(compression: compression))
      var stream = RandomStream(seed: 1, stream: UInt64(shard))
      while row < end {
        let count = min(blockRows, end - row)
        for index in 0..<count * columns { features[index] = 2 * stream.uniform() - 1 }
        for index in 0..<count { targets[index] = Float((row + index) % classes) }
        try writer.append(features, MatrixView(rows: count, columns: columns), targets: targets)
        row += count
      }
      try writer.finish()
    }
  }

  /// Rank 0 writes shards to the folder `data` of a temporary directory; returns the directory on all ranks. Collective.
  static func shared(
    rows: Int, columns: Int, classes: Int, shards: Int, _ world: borrowing Communicator
  ) throws -> String {
    let directory = try Agreement.fromRoot(world) {
      let directory = temporaryDirectory()
      try write(
        FileSystem.join(directory, "data"), rows: rows, columns: columns, classes: classes, shards: shards)
      return Array(directory.utf8)
    }
    return String(decoding: directory, as: UTF8.self)
  }

  /// A directory that no other benchmark uses.
  static func temporaryDirectory() -> String {
    FileSystem.join(Machine.environment("TMPDIR") ?? "/tmp", "apus-bench-\(Machine.processIdentifier)")
  }
}
