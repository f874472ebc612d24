internal import Kernels

/// Room for some rows on their way into a shard.
final class RowPiece {
  /// About how many bytes are read or written at a time: few enough for the processor's own cache.
  private static let bytes = 1 << 18

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
  func append(_ other: RowPiece, _ places: [Int32], _ part: Range<Int>) {
    features.gather(rows: places, part, of: other.features, columns: columns, to: rows)
    targets.gather(rows: places, part, of: other.targets, columns: 1, to: rows)
    rows += part.count
  }
}
