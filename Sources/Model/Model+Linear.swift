public import Kernels

/// Models that are one dense layer with one output, in one pass over the rows, wherever these lie.
extension Model {
  /// Whether the model is one dense layer with one output.
  public var hasOneScore: Bool { stage.hasOneScore }

  /// Adds (or writes, where `accumulate` is not set) the gradient of the summed loss of `rows` to
  /// `gradient[offset..<offset + layout.count]`; for models that `hasOneScore`.
  ///
  /// Such a model multiplies each number of a row only twice: for the score and for the gradient, the second time while the
  /// row is still in the nearest cache. The result is a pure function of parameters, the rows in their order, how they are
  /// cut into calls and, where it accumulates, of what was there.
  /// - Parameters:
  ///   - features: rows × inputs, of which `rows` names some, as of `targets`.
  /// - Returns: the sum of the losses of the rows.
  func accumulateOneScore(
    parameters: borrowing FloatBuffer, features: borrowing FloatBuffer, rows: RowSelection,
    targets: borrowing FloatBuffer, workspace: Workspace, gradient: inout FloatBuffer, at offset: Int, accumulate: Bool
  ) -> Double {
    precondition(hasOneScore, "\(outputs) outputs after \(depth) layers")
    precondition(rows.count <= workspace.capacity, "\(rows.count) rows in a workspace for \(workspace.capacity)")
    let rowsPerPass = max(8192 / inputs & ~7, 16)
    var sum = 0.0
    var row = 0
    repeat {
      let part = row..<min(row + rowsPerPass, rows.count)
      sum += pass(
        parameters, features, rows, part, targets, workspace, &gradient, offset, accumulate: accumulate || row > 0)
      row += part.count
    } while row < rows.count
    return sum
  }

  private func pass(
    _ parameters: borrowing FloatBuffer, _ features: borrowing FloatBuffer, _ rows: RowSelection, _ part: Range<Int>,
    _ targets: borrowing FloatBuffer, _ workspace: Workspace, _ gradient: inout FloatBuffer, _ offset: Int,
    accumulate: Bool
  ) -> Double {
    let space = workspace.last
    let scores = MatrixView(rows: part.count, columns: 1)
    LinearRows.scores(features, rows, part, columns: inputs, weights: parameters, at: 0, into: &space.values)
    Elementwise.addBias(&space.values, scores, bias: parameters, at: inputs)
    workspace.rows = part.count
    workspace.targets.gather(rows, part, of: targets, columns: 1)
    let sum = loss.sum(workspace, targets: workspace.targets, at: 0)
    LinearRows.weightedSum(
      features, rows, part, columns: inputs, factors: space.gradient, into: &gradient, at: offset,
      accumulate: accumulate)
    Elementwise.columnSums(space.gradient, scores, into: &gradient, at: offset + inputs, accumulate: accumulate)
    return sum
  }

  /// Makes a step of gradient descent for each of `rows` in turn, where the loss is finite, with the bits of steps made one
  /// by one; for models that `hasOneScore`.
  ///
  /// - Parameters:
  ///   - parameters: all parameters of the model.
  ///   - rates: the learning rate of each step.
  public func descend(
    parameters: inout FloatBuffer, features: borrowing FloatBuffer, rows: RowSelection, targets: borrowing FloatBuffer,
    rates: borrowing FloatBuffer, l1: Float, l2: Float
  ) -> LinearRows.Descent {
    return LinearRows.descend(
      features, rows, columns: inputs, targets: targets, parameters: &parameters, rates: rates,
      penalty: Update.Gradient(scale: 1, l1: l1, l2: l2), loss: pointLoss)
  }

  /// The loss of one score; for models that `hasOneScore`.
  public var pointLoss: PointLoss {
    precondition(hasOneScore, "\(outputs) outputs after \(depth) layers")
    return switch loss {
    case .squared: .squared
    case .huber: .huber
    case .absolute: .absolute
    case .logistic: .logistic
    case .hinge: .hinge
    case .squaredHinge: .squaredHinge
    case .softmax: preconditionFailure("a softmax of one output")
    }
  }
}
