public import Kernels

/// Batches whose rows lie apart in the memory of whoever has read them.
extension Model {
  /// Whether batches may be taken where their rows lie: where copying them together would cost as much as a product.
  public var takesRowsInPlace: Bool { hasOneScore || Multiply.takesRowsInPlace(outputs: sizes[1], inputs: inputs) }

  /// As `accumulateGradient` of a matrix that holds `rows`, with the same bits; for models that take rows in place, or rows that lie one behind
  /// the other.
  /// - Parameters:
  ///   - features: rows × inputs, of which `rows` names some, as of `targets`.
  public func accumulateGradient(
    parameters: borrowing FloatBuffer, features: borrowing FloatBuffer, rows: RowSelection,
    targets: borrowing FloatBuffer, workspace: Workspace, gradient: inout FloatBuffer, at offset: Int, accumulate: Bool,
    progress: Stage.Progress? = nil
  ) -> Double {
    if hasOneScore {
      return accumulateOneScore(
        parameters: parameters, features: features, rows: rows, targets: targets, workspace: workspace,
        gradient: &gradient, at: offset, accumulate: accumulate)
    }
    if let first = rows.firstOfRun {
      return accumulateGradient(
        parameters: parameters, features: features,
        view: MatrixView(offset: first * inputs, rows: rows.count, columns: inputs), targets: targets,
        targetsOffset: first * targetsPerRow, workspace: workspace, gradient: &gradient, at: offset,
        accumulate: accumulate, progress: progress)
    }
    let input = LayerInput.rows(rows, columns: inputs)
    stage.forward(parameters: parameters, inputs: features, input, workspace: workspace)
    workspace.targets.reserve(workspace.capacity * targetsPerRow)
    workspace.targets.gather(rows, of: targets, columns: targetsPerRow)
    let sum = lossSum(workspace, targets: workspace.targets, targetsOffset: 0)
    stage.backward(
      parameters: parameters, inputs: features, input, workspace: workspace, gradient: &gradient,
      gradientOffset: offset, accumulate: accumulate, progress: progress)
    return sum
  }
}
