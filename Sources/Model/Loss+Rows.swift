public import Kernels

extension Loss {
  /// Writes the loss of each row that the last `sum` over `workspace` added up to `losses`, from 0 on.
  public func copyRows(of workspace: Workspace, to losses: inout FloatBuffer) {
    let terms = self == .softmax ? 1 : workspace.outputCount
    let factor = 1 / Float(divisor(outputs: workspace.outputCount))
    addRows(workspace.rows, of: workspace.terms, terms, factor, to: &losses)
  }

  private func addRows(
    _ rows: Int, of terms: borrowing FloatBuffer, _ count: Int, _ factor: Float, to losses: inout FloatBuffer
  ) {
    let values = terms.span
    var result = losses.mutableSpan
    for row in 0..<rows {
      var sum: Float = 0
      for term in 0..<count { sum += values[row * count + term] }
      result[row] = sum * factor
    }
  }
}
