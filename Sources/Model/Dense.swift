internal import Kernels

/// A dense layer: `y = f(x Wᵀ + b)`.
///
/// Shapes: `x` batch × inputs, `W` outputs × inputs, `b` outputs, `y` batch × outputs; row-major.
public struct Dense: Equatable, Sendable {
  /// The index of the layer in the whole model.
  public let index: Int
  public let inputs: Int
  public let outputs: Int
  /// `nil` for the last layer of a model, whose outputs are the scores.
  public let activation: Activation?
  /// Where weight and bias stand, counted from the start of the stage's parameters.
  let weightOffset: Int
  let biasOffset: Int

  /// The view of the weights in a buffer where the stage's parameters begin at `start`.
  private func weights(_ start: Int) -> MatrixView {
    MatrixView(offset: start + weightOffset, rows: outputs, columns: inputs)
  }

  /// Writes the outputs of `x` to `space`.
  func forward(
    _ x: borrowing FloatBuffer, _ view: MatrixView, parameters: borrowing FloatBuffer, at start: Int, space: LayerSpace
  ) {
    let result = MatrixView(rows: view.rows, columns: outputs)
    Multiply.forward(x, view, weights: parameters, weights(start), into: &space.values, result)
    if let activation {
      activation.apply(to: space, result, parameters: parameters, biasOffset: start + biasOffset)
    } else {
      Elementwise.addBias(&space.values, result, bias: parameters, at: start + biasOffset)
    }
  }

  /// Adds or writes the gradients of weight and bias, summed over the rows, given the one with respect to the outputs
  /// in `space`, which becomes the one with respect to the sums before the activation.
  func backward(
    _ x: borrowing FloatBuffer, _ view: MatrixView, space: LayerSpace, gradient: inout FloatBuffer, at start: Int,
    accumulate: Bool
  ) {
    let result = MatrixView(rows: view.rows, columns: outputs)
    activation?.multiplyBySlope(in: space, 0..<result.count)
    Multiply.weightGradient(space.gradient, result, x, view, into: &gradient, weights(start), accumulate: accumulate)
    Elementwise.columnSums(space.gradient, result, into: &gradient, at: start + biasOffset, accumulate: accumulate)
  }

  /// Writes the gradient with respect to the layer's inputs; after `backward`.
  func inputGradient(
    rows: Int, parameters: borrowing FloatBuffer, at start: Int, space: LayerSpace,
    into inputGradient: inout FloatBuffer
  ) {
    Multiply.inputGradient(
      space.gradient, MatrixView(rows: rows, columns: outputs), weights: parameters, weights(start),
      into: &inputGradient, MatrixView(rows: rows, columns: inputs))
  }
}
