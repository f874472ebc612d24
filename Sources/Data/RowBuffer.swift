import Kernels

/// Rows in memory: features and targets, each row-major and without gaps.
final class RowBuffer {
  let capacity: Int
  var features: FloatBuffer
  var targets: FloatBuffer

  /// - Parameter rows: how many it holds.
  init(rows: Int, columns: Int, targetsPerRow: Int) {
    capacity = rows
    features = FloatBuffer(count: rows * columns)
    targets = FloatBuffer(count: rows * targetsPerRow)
  }
}
