public import Kernels

/// Reads rows in the order of the data set, for evaluation and prediction: converted, transformed and checked like a batch.
///
/// Used by one thread at a time.
public final class RowReader {
  public let dataset: ShardedDataset
  /// The rows that may be asked for, and that are read ahead.
  public let rows: Range<Int>
  public var targetUse: TargetUse { loader.use }

  private let loader: RowLoader
  private var buffer: RowBuffer
  private let filter = RowFilter()
  /// The rows that `buffer` holds.
  private var held: Range<Int> = 0..<0
  /// Rows that are read at a time.
  private let window: Int

  /// - Parameters:
  ///   - rows: the part of the data set that will be read; all of it unless told otherwise.
  ///   - parts: what to read of the rows. Of what is left out the buffers are empty, and rows take no room in them.
  /// - Throws: `DataError` if the targets do not suit `targetUse`, or the columns the transform.
  public init(
    dataset: ShardedDataset, rows: Range<Int>? = nil, targetUse: TargetUse, transform: FeatureTransform = .none,
    parts: RowParts = .all, nonFinite: NonFinite = .fail
  ) throws(DataError) {
    let rows = rows ?? 0..<dataset.rows
    precondition(rows.lowerBound >= 0 && rows.upperBound <= dataset.rows, "rows \(rows) of \(dataset.rows)")
    self.dataset = dataset
    self.rows = rows
    loader = try RowLoader(dataset: dataset, use: targetUse, transform: transform, parts: parts, nonFinite: nonFinite)
    window = max(1, SampleOrder.defaultWindowBytes / 4 / max(1, dataset.columns))
    buffer = RowBuffer(
      rows: min(window, rows.count), columns: loader.columns, targetsPerRow: loader.targetsPerRow)
  }

  public var secondsReading: Double { loader.effort.time / .seconds(1) }

  /// Reads `rows` to row `row` of the buffers and what follows.
  ///
  /// Shapes: `features` rows × columns, `targets` rows × `targetUse.floatsPerRow`, both from row `row` on; what is not read is
  /// left alone.
  /// - Throws: `DataError` naming shard and row if a value is not allowed, or if reading fails.
  public func read(
    rows: Range<Int>, features: inout FloatBuffer, targets: inout FloatBuffer, at row: Int = 0
  ) throws(DataError) {
    try loader.load(rows, features: &features, targets: &targets, at: row)
  }

  /// Calls `body` with `rows`, which are read in large pieces with the rows behind them: ask for them in ascending order.
  ///
  /// - Parameter body: gets fewer rows where rows are left out; takes the buffer of the features and where in it the rows lie, and the buffer of the targets and where
  ///   in it the first of them is.
  public func withRows<Result>(
    _ rows: Range<Int>, _ body: (borrowing FloatBuffer, MatrixView, borrowing FloatBuffer, Int) throws -> Result
  ) throws -> Result {
    precondition(
      rows.lowerBound >= self.rows.lowerBound && rows.upperBound <= self.rows.upperBound,
      "rows \(rows) of \(self.rows)")
    if !rows.isEmpty && !(held.lowerBound <= rows.lowerBound && rows.upperBound <= held.upperBound) {
      held = 0..<0
      let end = min(self.rows.upperBound, max(rows.upperBound, rows.lowerBound + window))
      let wanted = rows.lowerBound..<end
      if buffer.capacity < wanted.count {
        buffer = RowBuffer(rows: wanted.count, columns: loader.columns, targetsPerRow: loader.targetsPerRow)
      }
      try loader.load(wanted, features: &buffer.features, targets: &buffer.targets, at: 0)
      held = wanted
    }
    let first = rows.isEmpty ? 0 : rows.lowerBound - held.lowerBound
    let view = MatrixView(offset: first * loader.columns, rows: rows.count, columns: loader.columns)
    let offset = first * loader.targetsPerRow
    guard loader.nonFinite == .skipRow else { return try body(buffer.features, view, buffer.targets, offset) }
    return try filter.withFiniteRows(
      buffer.features, view, buffer.targets, offset, targetsPerRow: loader.targetsPerRow, body)
  }
}
