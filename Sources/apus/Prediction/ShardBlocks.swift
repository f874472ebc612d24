import Data
import Kernels
import Training

/// The features of HDF5 shards. A group is one block.
final class ShardBlocks: FeatureBlocks {
  private let reader: RowReader
  private let blockRows: Int
  private let leavesRowsOut: Bool
  private let rank: Int
  private let ranks: Int
  /// The first row of the next round.
  private var start = 0
  /// Rows of this rank's group.
  private var group = 0..<0
  /// Nothing is read there.
  private var targets = FloatBuffer(count: 0)

  /// Of rows that hold a number which is not finite, where such are left out.
  private(set) var leftOut: [Bool] = []
  private(set) var firstRow = 0
  var isFinished: Bool { start >= reader.dataset.rows }

  init(
    _ matched: MatchedRows, nonFinite: NonFinite, blockRows: Int, rank: Int, ranks: Int
  ) throws(DataError) {
    (self.rank, self.ranks) = (rank, ranks)
    reader = try RowReader(
      dataset: matched.dataset, targetUse: .none, transform: matched.transform, nonFinite: nonFinite)
    leavesRowsOut = nonFinite == .skipRow
    self.blockRows = blockRows
  }

  func beginRound() {
    let all = reader.dataset.rows
    let first = min(start + rank * blockRows, all)
    group = first..<min(first + blockRows, all)
    start += ranks * blockRows
  }

  func next(into features: inout FloatBuffer) throws -> Int {
    let rows = group
    group = rows.upperBound..<rows.upperBound
    firstRow = rows.lowerBound
    leftOut = []
    guard !rows.isEmpty else { return 0 }
    try reader.read(rows: rows, features: &features, targets: &targets)
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
