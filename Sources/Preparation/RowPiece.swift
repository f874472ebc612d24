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
    capacity = Self.rows(columns: columns)
    self.columns = columns
    features = FloatBuffer(count: capacity * columns)
    targets = FloatBuffer(count: capacity)
  }

  /// How many rows of so many features go through the processor's own cache at a time.
  static func rows(columns: Int) -> Int { max(1, bytes / (4 * columns)) }

  /// Adds rows of `features`, counted from its row `first`, with their targets, behind those that are there.
  func append(
    _ features: borrowing FloatBuffer, _ first: Int, _ targets: borrowing FloatBuffer, _ places: [Int32],
    _ part: Range<Int>
  ) {
    self.features.gather(rows: places, part, of: features, from: first, columns: columns, to: rows)
    self.targets.gather(rows: places, part, of: targets, columns: 1, to: rows)
    rows += part.count
  }
}
