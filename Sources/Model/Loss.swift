public import Kernels

/// What training makes small, by PyTorch's definitions; all are means over the rows of a batch.
public enum Loss: String, CaseIterable, Sendable {
  /// The squared error, without a half; the mean over a row's outputs (`MSELoss`).
  case squared
  /// Huber's loss with delta 1; the mean over a row's outputs (`HuberLoss`).
  case huber
  /// The absolute error; the mean over a row's outputs (`L1Loss`).
  case absolute
  /// Cross-entropy of yes-or-no labels given log-odds; the mean over a row's outputs (`BCEWithLogitsLoss`).
  case logistic
  /// max(1 - s z, 0) with s = ±1; for several outputs one class against the rest, summed over the classes.
  case hinge
  /// The square of `hinge`, summed likewise.
  case squaredHinge = "squared_hinge"
  /// Cross-entropy of a class given the scores of all (`CrossEntropyLoss`).
  case softmax

  /// What the targets of a row are.
  public enum TargetMeaning: String, Sendable {
    /// One number: the index of the row's class.
    case classIndex = "class_index"
    /// A 0 or 1 for each output.
    case binary
    /// Any number for each output.
    case values
  }

  /// What the targets of a row are for a model with `outputs` outputs.
  public func targetMeaning(outputs: Int) -> TargetMeaning {
    switch self {
    case .squared, .huber, .absolute: .values
    case .logistic: .binary
    case .hinge, .squaredHinge: outputs == 1 ? .binary : .classIndex
    case .softmax: .classIndex
    }
  }

  /// How many floats the targets of a row take in a buffer.
  public func targetsPerRow(outputs: Int) -> Int {
    targetMeaning(outputs: outputs) == .classIndex ? 1 : outputs
  }

  /// How many terms the loss of a row is the mean of: 1 for losses that are sums over a row.
  func divisor(outputs: Int) -> Int {
    switch self {
    case .squared, .huber, .absolute, .logistic: outputs
    case .hinge, .squaredHinge, .softmax: 1
    }
  }

  /// The sum of the losses of the rows whose scores stand in `workspace`; the gradient of that sum with respect to the
  /// scores is left in the workspace.
  ///
  /// - Parameters:
  ///   - targets: `targetsPerRow` floats a row from `offset` on, checked by whoever read them: a class is in range.
  public func sum(_ workspace: Workspace, targets: borrowing FloatBuffer, at offset: Int) -> Double {
    sum(workspace, targets: targets, at: offset, columns: 0..<workspace.outputCount, of: workspace.outputCount)
  }

  /// The part of the sum that the scores of some of the `outputs` outputs make, those in `columns`, where each makes its own.
  ///
  /// - Parameter targets: those of these outputs alone, or the indices of classes.
  func sum(
    _ workspace: Workspace, targets: borrowing FloatBuffer, at offset: Int, columns: Range<Int>, of outputs: Int
  ) -> Double {
    let rows = workspace.rows
    if rows == 0 { return 0 }
    let count = rows * columns.count
    let divisor = divisor(outputs: outputs)
    let factor = 1 / Float(divisor)
    let last = workspace.last
    var terms = count
    switch self {
    case .squared:
      LossTerms.squared(
        last.values, count: count, targets: targets, at: offset, factor: factor, terms: &workspace.terms,
        slopes: &last.gradient)
    case .huber:
      LossTerms.huber(
        last.values, count: count, targets: targets, at: offset, factor: factor, terms: &workspace.terms,
        slopes: &last.gradient)
    case .absolute:
      LossTerms.absolute(
        last.values, count: count, targets: targets, at: offset, factor: factor, terms: &workspace.terms,
        slopes: &last.gradient)
    case .logistic:
      LossTerms.logistic(
        last.values, count: count, targets: targets, at: offset, factor: factor, terms: &workspace.terms,
        slopes: &last.gradient)
    case .hinge where outputs == 1:
      LossTerms.hinge(
        last.values, count: count, targets: targets, at: offset, factor: factor, terms: &workspace.terms,
        slopes: &last.gradient)
    case .squaredHinge where outputs == 1:
      LossTerms.squaredHinge(
        last.values, count: count, targets: targets, at: offset, factor: factor, terms: &workspace.terms,
        slopes: &last.gradient)
    case .hinge:
      LossTerms.classHinge(
        last.values, rows: rows, classes: columns, of: outputs, targets: targets, at: offset, factor: factor,
        terms: &workspace.terms, slopes: &last.gradient)
    case .squaredHinge:
      LossTerms.squaredClassHinge(
        last.values, rows: rows, classes: columns, of: outputs, targets: targets, at: offset, factor: factor,
        terms: &workspace.terms, slopes: &last.gradient)
    case .softmax:
      terms = rows
      LossTerms.softmax(
        last.values, rows: rows, classes: outputs, targets: targets, at: offset, factor: factor,
        terms: &workspace.terms, slopes: &last.gradient)
    }
    return Reduce.orderedSum(workspace.terms, 0..<terms) / Double(divisor)
  }
}
