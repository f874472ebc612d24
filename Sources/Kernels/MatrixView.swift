/// Where a row-major matrix lies in a `FloatBuffer`: element (row, column) is at `offset + row * rowStride + column`.
///
/// A view owns nothing; every kernel checks it against the count of the buffer it is used with.
public struct MatrixView: Equatable, Sendable {
  /// Index in the buffer of the first element.
  public var offset: Int
  public var rows: Int
  public var columns: Int
  /// Elements from the start of a row to the start of the next, at least `columns`.
  public var rowStride: Int

  /// Describes a matrix; without `rowStride` its rows lie one behind the other.
  public init(offset: Int = 0, rows: Int, columns: Int, rowStride: Int? = nil) {
    let stride = rowStride ?? columns
    precondition(offset >= 0 && rows >= 0 && columns >= 0, "a view of \(rows) x \(columns) at \(offset)")
    precondition(stride >= columns, "a row stride of \(stride) for \(columns) columns")
    self.offset = offset
    self.rows = rows
    self.columns = columns
    self.rowStride = stride
  }

  /// Elements of the matrix: rows times columns.
  public var count: Int { rows * columns }

  /// Whether the rows lie one behind the other, so that the matrix is one run of `count` elements.
  public var isContiguous: Bool { rowStride == columns || rows <= 1 }

  /// The part of the matrix made of `range` of its rows.
  public func rows(_ range: Range<Int>) -> MatrixView {
    precondition(range.lowerBound >= 0 && range.upperBound <= rows, "rows \(range) of a view of \(rows) rows")
    return MatrixView(
      offset: offset + range.lowerBound * rowStride, rows: range.count, columns: columns, rowStride: rowStride)
  }

  /// The part of the matrix made of `range` of its columns.
  public func columns(_ range: Range<Int>) -> MatrixView {
    precondition(
      range.lowerBound >= 0 && range.upperBound <= columns, "columns \(range) of a view of \(columns) columns")
    // Without a row there is nothing to be inside of.
    let offset = rows == 0 ? offset : offset + range.lowerBound
    return MatrixView(offset: offset, rows: rows, columns: range.count, rowStride: rowStride)
  }

  /// One past the index of the last element; `offset` where the matrix is empty.
  public var end: Int { count == 0 ? offset : offset + (rows - 1) * rowStride + columns }

  /// Stops the program unless the matrix lies within a buffer of `count` elements: such a view is our bug.
  func check(within count: Int) {
    precondition(end <= count, "a view ends at \(end), the buffer has \(count) elements")
  }
}
