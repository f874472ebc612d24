internal import Kernels

/// A dense layer: `y = f(x Wᵀ + b)`, or a rank's part of one.
///
/// Shapes: `x` batch × inputs, `W` outputs × inputs, `b` outputs, `y` batch × outputs; row-major. A part has the rows
/// `rows` and the columns `columns` of `W`.
public struct Dense: Equatable, Sendable {
  /// The index of the layer in the whole model.
  public let index: Int
  /// Inputs and outputs of the whole layer.
  public let inputs: Int
  public let outputs: Int
  /// `nil` for the last layer of a model, whose outputs are the scores.
  public let activation: Activation?
  /// How the layer is cut among the ranks of a tensor split.
  public let split: LayerSplit
  /// The outputs that this rank has after the layer.
  public let rows: Range<Int>
  /// The inputs that this rank multiplies.
  public let columns: Range<Int>
  /// Where weight and bias stand, counted from the start of the stage's parameters.
  let weightOffset: Int
  let biasOffset: Int

  /// The view of the weights in a buffer where the stage's parameters begin at `start`.
  private func weights(_ start: Int) -> MatrixView {
    MatrixView(offset: start + weightOffset, rows: rows.count, columns: columns.count)
  }

  /// What this rank multiplies of the inputs that it has.
  private func operand(_ input: LayerInput) -> LayerInput {
    guard split == .slicedInputs else { return input }
    guard case .matrix(let view) = input else { preconditionFailure("rows in place for a part of the inputs") }
    return .matrix(view.columns(columns))
  }

  /// Writes the outputs of `x` to `space`.
  func forward<Exchange: LayerExchange>(
    _ x: borrowing FloatBuffer, _ input: LayerInput, parameters: borrowing FloatBuffer, at start: Int,
    space: LayerSpace,
    exchange: Exchange
  ) throws(Exchange.Failure) {
    let result = MatrixView(rows: input.rows, columns: rows.count)
    Multiply.forward(x, operand(input), weights: parameters, weights(start), into: &space.values, result)
    if split.cutsInputs { try exchange.sum(&space.values, count: result.count) }
    if let activation {
      activation.apply(to: space, result, parameters: parameters, biasOffset: start + biasOffset)
    } else {
      Elementwise.addBias(&space.values, result, bias: parameters, at: start + biasOffset)
    }
  }

  /// Adds or writes the gradients of weight and bias, summed over the rows, given the one with respect to the outputs
  /// in `space`, which becomes the one with respect to the sums before the activation.
  func backward(
    _ x: borrowing FloatBuffer, _ input: LayerInput, space: LayerSpace, gradient: inout FloatBuffer, at start: Int,
    accumulate: Bool, progress: Stage.Progress? = nil
  ) {
    let result = MatrixView(rows: input.rows, columns: rows.count)
    activation?.multiplyBySlope(in: space, 0..<result.count)
    Elementwise.columnSums(space.gradient, result, into: &gradient, at: start + biasOffset, accumulate: accumulate)
    let whole = weights(start)
    guard let progress else {
      Multiply.weightGradient(
        space.gradient, result, x, operand(input), into: &gradient, whole, accumulate: accumulate)
      return
    }
    var end = rows.count
    while end > 0 {
      // Portions of whole tiles: every element is the same sum as in one product.
      let first = max(0, (end - 1) / Self.portion * Self.portion)
      let part = MatrixView(
        offset: whole.offset + first * columns.count, rows: end - first, columns: columns.count)
      Multiply.weightGradient(
        space.gradient, result.columns(first..<end), x, operand(input), into: &gradient, part, accumulate: accumulate)
      end = first
      progress(&gradient, weightOffset + first * columns.count)
    }
  }

  /// Outputs whose gradient is computed at a time where somebody waits for it.
  private static let portion = 128

  /// Writes the gradient with respect to the inputs that this rank has; after `backward`.
  /// - Parameter staging: room for what is exchanged.
  func inputGradient<Exchange: LayerExchange>(
    rows count: Int, parameters: borrowing FloatBuffer, at start: Int, space: LayerSpace,
    into inputGradient: inout FloatBuffer, staging: inout FloatBuffer, exchange: Exchange
  ) throws(Exchange.Failure) {
    let slopes = MatrixView(rows: count, columns: rows.count)
    let result = MatrixView(rows: count, columns: columns.count)
    guard split == .slicedInputs else {
      Multiply.inputGradient(
        space.gradient, slopes, weights: parameters, weights(start), into: &inputGradient, result)
      if split == .outputs { try exchange.sum(&inputGradient, count: result.count) }
      return
    }
    let part = MatrixView(offset: count * columns.lowerBound, rows: count, columns: columns.count)
    Multiply.inputGradient(space.gradient, slopes, weights: parameters, weights(start), into: &staging, part)
    try exchange.gatherColumns(of: &staging, into: &inputGradient, MatrixView(rows: count, columns: inputs))
  }
}
