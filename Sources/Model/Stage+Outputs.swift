public import Kernels

/// What becomes of the outputs of the last stage.
extension Stage {
  /// The sum of the losses of the rows of the last forward pass; the slopes are left in the workspace for `backward`.
  ///
  /// Every rank of a tensor split calls it; what all of them return adds up to the sum.
  /// - Parameter targets: `targetsPerRow` floats a row from `offset` on, the same on every rank.
  public func lossSum<Exchange: LayerExchange>(
    _ workspace: Workspace, targets: borrowing FloatBuffer, at offset: Int, exchange: Exchange = NoExchange()
  ) throws(Exchange.Failure) -> Double {
    precondition(isLast, "the loss of layers \(range), which are not the last")
    check(exchange)
    if outputColumns.count < outputs {
      return try loss.sum(
        workspace, targets: targets, at: offset, columns: outputColumns, of: outputs, exchange: exchange)
    }
    let sum = loss.sum(workspace, targets: targets, at: offset)
    return tensor.index == 0 ? sum : 0
  }

  /// Copies the outputs of the last forward pass to `scores`, where `Model` finds them: on every rank of a tensor split all
  /// of them.
  /// - Parameter scores: made by `Workspace(scoresOf:rows:)`.
  public func copyOutputs<Exchange: LayerExchange>(
    of workspace: Workspace, to scores: Workspace, exchange: Exchange = NoExchange()
  ) throws(Exchange.Failure) {
    precondition(
      workspace.rows <= scores.capacity && scores.outputCount == outputs,
      "\(workspace.rows) x \(outputs) scores in a workspace for \(scores.capacity) x \(scores.outputCount)")
    check(exchange)
    let rows = workspace.rows
    scores.rows = rows
    if outputColumns.count == outputs {
      scores.outputs.copy(from: workspace.outputs, range: 0..<rows * outputs)
    } else {
      let last = scores.last
      last.gradient.copy(
        from: workspace.outputs, range: 0..<rows * outputColumns.count, to: rows * outputColumns.lowerBound)
      try exchange.gatherColumns(of: &last.gradient, into: &last.values, scores.outputView)
    }
  }

  /// What `copyOutputs` exchanges, for plans.
  public var outputTransfers: [LayerTransfer] {
    outputColumns.count < outputs ? [.gather(units: outputs, width: 1)] : []
  }
}
