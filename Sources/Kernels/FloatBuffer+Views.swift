extension FloatBuffer {
  /// Copies a matrix of `source` to another place of the same shape here.
  public mutating func copy(from source: borrowing FloatBuffer, _ sourceView: MatrixView, to view: MatrixView) {
    precondition(
      sourceView.rows == view.rows && sourceView.columns == view.columns,
      "\(sourceView.rows) x \(sourceView.columns) elements to \(view.rows) x \(view.columns)")
    sourceView.check(within: source.count)
    view.check(within: count)
    for row in 0..<view.rows {
      let from = unsafe source.base + sourceView.offset + row * sourceView.rowStride
      unsafe (base + view.offset + row * view.rowStride).update(from: from, count: view.columns)
    }
  }
}
