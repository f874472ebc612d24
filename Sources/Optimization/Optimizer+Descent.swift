public import Kernels
public import Model

extension Optimizer {
  /// Whether `descend` makes this optimizer's steps: it remembers nothing between them.
  public var isDescent: Bool { settings.kind == .sgd }

  /// Makes a step for each of `rows` in turn, with the bits of steps of one row made by `update`; fewer where the loss or the
  /// gradient of one is not finite.
  ///
  /// - Parameters:
  ///   - model: one that `hasOneScore`, all of whose parameters are owned.
  ///   - rates: the learning rate of each step.
  public mutating func descend(
    _ model: Model, parameters: inout FloatBuffer, features: borrowing FloatBuffer, rows: RowSelection,
    targets: borrowing FloatBuffer, rates: borrowing FloatBuffer
  ) -> LinearRows.Descent {
    precondition(isDescent, "\(settings.kind) is not plain descent")
    let descent = model.descend(
      parameters: &parameters, features: features, rows: rows, targets: targets, rates: rates, l1: Float(penalty.l1),
      l2: Float(penalty.l2))
    steps += descent.steps
    return descent
  }
}
