import Data
import Kernels
import MPI
import Training

/// The features of HDF5 shards. Every rank reads its own blocks.
final class ShardBlocks: FeatureBlocks {
  private let reader: RowReader
  private let blockRows: Int
  /// The first row of the next round.
  private var start = 0
  /// Nothing is read there.
  private var targets = FloatBuffer(count: 0)

  let leftOut: [Bool] = []
  var isFinished: Bool { start >= reader.dataset.rows }

  init(_ opened: OpenedDataset, transform: FeatureTransform, blockRows: Int) throws(DataError) {
    reader = try RowReader(dataset: opened.dataset, targetUse: .none, transform: transform)
    self.blockRows = blockRows
  }

  func next(into features: inout FloatBuffer, _ world: borrowing Communicator) throws -> Int {
    let all = reader.dataset.rows
    let first = min(start + world.rank * blockRows, all)
    let rows = first..<min(first + blockRows, all)
    start += world.size * blockRows
    try reader.read(rows: rows, features: &features, targets: &targets)
    return rows.count
  }
}
