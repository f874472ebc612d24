/// The rows that go into a layer, in a `FloatBuffer`.
///
/// What a layer computes of them has the same bits in either case.
public enum LayerInput: Sendable {
  case matrix(MatrixView)
  /// Rows of `columns` elements each, wherever they lie: for products that `Multiply.takesRowsInPlace` allows.
  case rows(RowSelection, columns: Int)

  public var rows: Int {
    switch self {
    case .matrix(let view): view.rows
    case .rows(let rows, _): rows.count
    }
  }

  public var columns: Int {
    switch self {
    case .matrix(let view): view.columns
    case .rows(_, let columns): columns
    }
  }
}
