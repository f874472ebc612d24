import CTiles

/// Products of rows that lie apart, for layers with so few outputs that copying them together would take as long as the products.
extension Multiply {
  /// Whether the products of a layer take rows where they lie (`LayerInput.rows`).
  public static func takesRowsInPlace(outputs: Int, inputs: Int) -> Bool {
    usesTiles && !asksForThreads && 2...fewOutputs ~= outputs && inputs >= fewInputs
  }

  /// As `forward` of a matrix that holds the rows of `input`.
  public static func forward(
    _ x: borrowing FloatBuffer, _ input: LayerInput, weights: borrowing FloatBuffer, _ weightsView: MatrixView,
    into y: inout FloatBuffer, _ yView: MatrixView
  ) {
    guard case .rows(let rows, let columns) = input, rows.places != nil else {
      return forward(x, matrix(input), weights: weights, weightsView, into: &y, yView)
    }
    check(rows, columns, within: x.count, weightsView, yView)
    weightsView.check(within: weights.count)
    yView.check(within: y.count)
    let (from, w, to) = unsafe (x.base, weights.base + weightsView.offset, y.base + yView.offset)
    unsafe rows.withPlaces { places, _ in
      unsafe apus_dot_products(
        rows.count, weightsView.rows, columns, from, columns, places, w, weightsView.rowStride, to, yView.rowStride, 0)
    }
  }

  /// As `weightGradient` of a matrix that holds the rows of `input`. Rows that are named behind these, as many, are asked for meanwhile.
  public static func weightGradient(
    _ d: borrowing FloatBuffer, _ dView: MatrixView, _ x: borrowing FloatBuffer, _ input: LayerInput,
    into g: inout FloatBuffer, _ gView: MatrixView, accumulate: Bool
  ) {
    guard case .rows(let rows, let columns) = input, rows.places != nil else {
      return weightGradient(d, dView, x, matrix(input), into: &g, gView, accumulate: accumulate)
    }
    check(rows, columns, within: x.count, gView, dView)
    dView.check(within: d.count)
    gView.check(within: g.count)
    let (from, slopes, to) = unsafe (x.base, d.base + dView.offset, g.base + gView.offset)
    let named = min(rows.named, 2 * rows.count)
    unsafe rows.withPlaces { places, _ in
      unsafe apus_product_of_rows(
        gView.rows, columns, rows.count, slopes, 1, dView.rowStride, from, columns, places, named, to, gView.rowStride,
        accumulate ? 1 : 0)
    }
  }

  /// The rows of `input`, which lie one behind the other.
  private static func matrix(_ input: LayerInput) -> MatrixView {
    switch input {
    case .matrix(let view): view
    case .rows(let rows, let columns): MatrixView(offset: rows.first * columns, rows: rows.count, columns: columns)
    }
  }

  /// Stops the program unless `rows` lie within a buffer of `count` elements and suit weights and outputs: our bug.
  private static func check(
    _ rows: RowSelection, _ columns: Int, within count: Int, _ weights: MatrixView, _ outputs: MatrixView
  ) {
    precondition(
      takesRowsInPlace(outputs: weights.rows, inputs: columns) && rows.count > 1,
      "\(rows.count) rows of \(columns) columns and \(weights.rows) outputs in place")
    precondition(
      weights.columns == columns && outputs.rows == rows.count && outputs.columns == weights.rows,
      "\(rows.count) rows of \(columns) columns, weights \(weights.rows) x \(weights.columns), outputs \(outputs.rows) x \(outputs.columns)"
    )
    rows.check(0..<rows.count, within: count / columns)
  }
}
