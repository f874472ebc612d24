internal import Kernels

/// From scores to what a user asked for.
extension Model {
  /// What the outputs are after `transformOutputs`.
  public enum OutputMeaning: String, Sendable {
    /// Numbers as the targets are.
    case values
    /// Probabilities: of yes for each output, or of each class.
    case probabilities
    /// Distances from the border between classes, in units of the margin.
    case margins
  }

  /// What the outputs are after `transformOutputs`.
  public var outputMeaning: OutputMeaning {
    switch loss {
    case .squared, .huber, .absolute: .values
    case .logistic, .softmax: .probabilities
    case .hinge, .squaredHinge: .margins
    }
  }

  /// Turns the scores in the workspace into probabilities where the loss has such, in place.
  public func transformOutputs(_ workspace: Workspace) {
    switch loss {
    case .logistic: Elementwise.sigmoid(&workspace.outputs, 0..<workspace.rows * outputs)
    case .softmax: LossTerms.softmaxProbabilities(&workspace.outputs, workspace.outputView)
    case .squared, .huber, .absolute, .hinge, .squaredHinge: break
    }
  }

  /// The class that the scores of a row in the workspace say (before `transformOutputs`): the first of the largest, or
  /// 1 for a single positive score; `nil` for models without classes.
  public func predictedClass(row: Int, _ workspace: Workspace) -> Int? {
    precondition(row >= 0 && row < workspace.rows, "row \(row) of \(workspace.rows)")
    switch targetMeaning {
    case .values: return nil
    case .binary: return outputs == 1 ? (workspace.outputs[row] > 0 ? 1 : 0) : nil
    case .classIndex:
      var best = 0
      for index in 1..<outputs
      where workspace.outputs[row * outputs + index] > workspace.outputs[row * outputs + best] {
        best = index
      }
      return best
    }
  }
}
