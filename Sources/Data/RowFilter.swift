import Kernels

/// Leaves out the rows that hold a number which is not finite.
final class RowFilter {
  private var kept = RowBuffer(rows: 0, columns: 0, targetsPerRow: 0)

  /// Calls `body` with the rows in `view` that are finite, in their order; without a copy where all are.
  ///
  /// Shapes: `features` rows × columns at `view`, `targets` `targetsPerRow` a row from `offset` on.
  func withFiniteRows<Result>(
    _ features: borrowing FloatBuffer, _ view: MatrixView, _ targets: borrowing FloatBuffer, _ offset: Int,
    targetsPerRow: Int, _ body: (borrowing FloatBuffer, MatrixView, borrowing FloatBuffer, Int) throws -> Result
  ) rethrows -> Result {
    func featureRange(_ rows: Range<Int>) -> Range<Int> {
      view.offset + rows.lowerBound * view.columns..<view.offset + rows.upperBound * view.columns
    }
    func targetRange(_ rows: Range<Int>) -> Range<Int> {
      offset + rows.lowerBound * targetsPerRow..<offset + rows.upperBound * targetsPerRow
    }
    let all = 0..<view.rows
    if Elementwise.isFinite(features, featureRange(all)), Elementwise.isFinite(targets, targetRange(all)) {
      return try body(features, view, targets, offset)
    }
    if kept.capacity < view.rows {
      kept = RowBuffer(rows: view.rows, columns: view.columns, targetsPerRow: targetsPerRow)
    }
    var count = 0
    for row in all {
      let (values, wanted) = (featureRange(row..<row + 1), targetRange(row..<row + 1))
      guard Elementwise.isFinite(features, values), Elementwise.isFinite(targets, wanted) else { continue }
      kept.features.copy(from: features, range: values, to: count * view.columns)
      kept.targets.copy(from: targets, range: wanted, to: count * targetsPerRow)
      count += 1
    }
    return try body(kept.features, MatrixView(rows: count, columns: view.columns), kept.targets, 0)
  }
}
