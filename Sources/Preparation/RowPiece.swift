internal import Kernels

/// Room for some rows on their way into a shard.
final class RowPiece {
  /// About how many bytes are read or written at a time.
  private static let bytes = 1 << 20

  /// Rows that there is room for.
  let capacity: Int
  let columns: Int
  var features: FloatBuffer
  var targets: FloatBuffer
  /// The rows that are there, from the first on.
  var rows = 0

  init(columns: Int) {
    capacity = max(1, Self.bytes / (4 * columns))
    self.columns = columns
    features = FloatBuffer(count: capacity * columns)
    targets = FloatBuffer(count: capacity)
  }

  /// Adds rows of another piece behind those that are there.
  func append(_ other: RowPiece, _ range: Range<Int>) {
    features.copy(
      from: other.features, range: range.lowerBound * columns..<range.upperBound * columns, to: rows * columns)
    targets.copy(from: other.targets, range: range, to: rows)
    rows += range.count
  }
}
