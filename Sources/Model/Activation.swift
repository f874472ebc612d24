internal import Kernels

/// What a hidden layer does to its sums, by PyTorch's definitions.
public enum Activation: String, CaseIterable, Sendable {
  /// max(z, 0), with derivative 0 at 0.
  case relu
  /// The hyperbolic tangent.
  case tanh
  /// 1 / (1 + e⁻ᶻ)
  case sigmoid
  /// z Φ(z) with the normal distribution function Φ itself, not an approximation of it.
  case gelu

  /// Whether the derivative has to be kept from the forward pass: it cannot be had from the value.
  var keepsSlopes: Bool { self == .gelu }

  /// Adds the bias to the sums in `space` and applies the activation, in one pass.
  func apply(to space: LayerSpace, _ view: MatrixView, parameters: borrowing FloatBuffer, biasOffset: Int) {
    switch self {
    case .relu: Elementwise.addBiasAndRelu(&space.values, view, bias: parameters, at: biasOffset)
    case .tanh: Elementwise.addBiasAndTanh(&space.values, view, bias: parameters, at: biasOffset)
    case .sigmoid: Elementwise.addBiasAndSigmoid(&space.values, view, bias: parameters, at: biasOffset)
    case .gelu:
      Elementwise.addBiasAndGelu(&space.values, view, bias: parameters, at: biasOffset, slopes: &space.slopes)
    }
  }

  /// Turns the gradient with respect to the values in `space` into the one with respect to the sums.
  func multiplyBySlope(in space: LayerSpace, _ range: Range<Int>) {
    switch self {
    case .relu: Elementwise.multiplyByReluSlope(&space.gradient, range, values: space.values)
    case .tanh: Elementwise.multiplyByTanhSlope(&space.gradient, range, values: space.values)
    case .sigmoid: Elementwise.multiplyBySigmoidSlope(&space.gradient, range, values: space.values)
    case .gelu: Elementwise.multiply(&space.gradient, range, by: space.slopes)
    }
  }
}
