import Data
import Kernels
import MPI
import Training

/// The features of HDF5 shards. Every rank reads its own blocks.
final class ShardBlocks: FeatureBlocks {
  private let reader: RowReader
  private let blockRows: Int
  private let leavesRowsOut: Bool
  /// The first row of the next round.
  private var start = 0
  /// Nothing is read there.
  private var targets = FloatBuffer(count: 0)

  /// Of rows that hold a number which is not finite, where such are left out.
  private(set) var leftOut: [Bool] = []
  var isFinished: Bool { start >= reader.dataset.rows }

  init(
    _ opened: OpenedDataset, transform: FeatureTransform, nonFinite: NonFinite, blockRows: Int
  ) throws(DataError) {
    reader = try RowReader(
      dataset: opened.dataset, targetUse: .none, transform: transform, nonFinite: nonFinite)
    leavesRowsOut = nonFinite == .skipRow
    self.blockRows = blockRows
  }

  func next(into features: inout FloatBuffer, _ world: borrowing Communicator) throws -> Int {
    let all = reader.dataset.rows
    let first = min(start + world.rank * blockRows, all)
    let rows = first..<min(first + blockRows, all)
    start += world.size * blockRows
    try reader.read(rows: rows, features: &features, targets: &targets)
    leftOut = []
    if leavesRowsOut { leaveOut(rows.count, of: &features) }
    return rows.count
  }

  /// Marks the rows that get no prediction, and puts zeros in their place, which go through the model without harm.
  private func leaveOut(_ rows: Int, of features: inout FloatBuffer) {
    let columns = reader.dataset.columns
    guard !Elementwise.isFinite(features, 0..<rows * columns) else { return }
    leftOut = (0..<rows).map { row in
      let range = row * columns..<(row + 1) * columns
      guard !Elementwise.isFinite(features, range) else { return false }
      for index in range { features[index] = 0 }
      return true
    }
  }
}
