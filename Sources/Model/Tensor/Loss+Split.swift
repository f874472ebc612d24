internal import Kernels

/// The loss where each rank has the scores of some of the outputs.
extension Loss {
  /// What the ranks exchange to know the loss and its slopes.
  func transfers(ranks: Int) -> [LayerTransfer] {
    self == .softmax ? [.gather(units: ranks, width: LossTerms.summaryWidth)] : []
  }

  /// Floats a row that `sum` needs beside the scores where a rank has `count` of `outputs` outputs.
  func stagingColumns(outputs count: Int, of outputs: Int, ranks: Int) -> Int {
    switch targetMeaning(outputs: outputs) {
    case .values, .binary: count
    case .classIndex: self == .softmax ? ranks * LossTerms.summaryWidth : 0
    }
  }

  /// This rank's part of the sum of the losses of the rows whose scores stand in `workspace`, those of the outputs in
  /// `columns`; the parts of all ranks add up to the sum. The slopes are left in the workspace.
  ///
  /// - Parameter targets: those of all `outputs` outputs.
  func sum<Exchange: LayerExchange>(
    _ workspace: Workspace, targets: borrowing FloatBuffer, at offset: Int, columns: Range<Int>, of outputs: Int,
    exchange: Exchange
  ) throws(Exchange.Failure) -> Double {
    let rows = workspace.rows
    switch targetMeaning(outputs: outputs) {
    case .values, .binary:
      let all = MatrixView(offset: offset, rows: rows, columns: outputs)
      workspace.staging.copy(
        from: targets, all.columns(columns), to: MatrixView(rows: rows, columns: columns.count))
      return sum(workspace, targets: workspace.staging, at: 0, columns: columns, of: outputs)
    case .classIndex where self == .softmax:
      let place = exchange.place
      LossTerms.summarizeSoftmax(
        workspace.last.values, rows: rows, classes: columns, of: outputs, targets: targets, at: offset,
        summaries: &workspace.staging, at: place.index * rows * LossTerms.summaryWidth,
        slopes: &workspace.last.gradient)
      try exchange.gather(&workspace.staging, units: place.count, width: rows * LossTerms.summaryWidth)
      LossTerms.splitSoftmax(
        summaries: workspace.staging, part: place.index, ranks: place.count, rows: rows, classes: columns,
        targets: targets, at: offset, factor: 1, terms: &workspace.terms, slopes: &workspace.last.gradient)
      // Every rank has the whole loss; one of them counts it.
      return place.index == 0 ? Reduce.orderedSum(workspace.terms, 0..<rows) : 0
    case .classIndex:
      return sum(workspace, targets: targets, at: offset, columns: columns, of: outputs)
    }
  }
}
