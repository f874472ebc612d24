import Data
import Files
import Kernels
import MPI
import Training

/// The folder that the test names in `APUS_SCRATCH`.
func scratchFolder() throws -> String {
  guard let scratch = Machine.environment("APUS_SCRATCH") else { throw CaseFailure("APUS_SCRATCH is not set") }
  return scratch
}

/// Seven uneven shards, one of them empty and one with a single row; 69 rows in all.
let unevenShards = [10, 0, 1, 33, 5, 17, 3]

/// Opens, on all ranks, a data set that rank 0 writes to the folder that the test names in `APUS_SCRATCH`.
///
/// - Parameter name: of the folder there.
///
/// Feature `c` of row `r`, counted over all shards, is `feature(r, c)`; the label of row `r` is `r` modulo `classes`.
func numberedDataset(
  shards: [Int], columns: Int, classes: Int, world: borrowing Communicator, name: String = "shards",
  feature: (_ row: Int, _ column: Int) -> Float
) throws -> ShardedDataset {
  let folder = FileSystem.join(try scratchFolder(), name)
  if world.rank == 0 {
    try FileSystem.createDirectory(folder)
    var first = 0
    for (index, rows) in shards.enumerated() {
      let writer = try ShardWriter(
        path: FileSystem.join(folder, "shard-\(index).h5"), columns: columns, targets: .labels,
        options: ShardWriter.Options(chunkRows: 4))
      var features = FloatBuffer(count: max(rows * columns, 1))
      var labels = FloatBuffer(count: max(rows, 1))
      for row in 0..<rows {
        for column in 0..<columns { features[row * columns + column] = feature(first + row, column) }
        labels[row] = Float((first + row) % classes)
      }
      try writer.append(features, MatrixView(rows: rows, columns: columns), targets: labels)
      try writer.finish()
      first += rows
    }
  }
  try world.barrier()
  return try OpenedDataset(DataSource(path: folder), world: world).dataset
}
