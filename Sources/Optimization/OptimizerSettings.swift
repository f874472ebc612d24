/// The optimizers that a job can name; definitions and defaults are PyTorch's, where it has them.
public enum OptimizerKind: String, CaseIterable, Sendable {
  /// Steps along the gradient.
  case sgd
  /// With a velocity (dampening 0).
  case momentum
  /// With a velocity, looking one step ahead.
  case nesterov
  /// Divides by the root of the sum of squared gradients.
  case adagrad
  /// Divides by the root of a running mean of squared gradients, not centred.
  case rmsprop
  /// Running means of gradients and of their squares, with bias correction.
  case adam
  /// `adam` with weight decay apart from the gradient.
  case adamw
  /// Follow the regularized leader, proximal, with a rate for each coordinate (McMahan et al. 2013); `l1` gives exact
  /// zeros.
  case ftrl
}

/// An optimizer with its numbers. Those that a kind does not use are ignored.
public struct OptimizerSettings: Equatable, Sendable {
  public var kind: OptimizerKind
  /// Alpha for `ftrl`.
  public var learningRate: Double
  /// For `momentum` and `nesterov`.
  public var momentum: Double
  /// How much `rmsprop` keeps of its mean (PyTorch's alpha).
  public var decay: Double
  /// How much `adam` and `adamw` keep of the mean of gradients.
  public var beta1: Double
  /// How much `adam` and `adamw` keep of the mean of squares.
  public var beta2: Double
  /// Added to the root that is divided by.
  public var epsilon: Double
  /// For `adamw`: weights shrink by `learningRate * weightDecay` a step; biases do not.
  public var weightDecay: Double
  /// For `ftrl`: added to the root of the sum of squares.
  public var beta: Double

  /// The kind with its default numbers.
  public init(_ kind: OptimizerKind) {
    self.kind = kind
    learningRate =
      switch kind {
      case .sgd, .momentum, .nesterov, .adam, .adamw: 1e-3
      case .adagrad, .rmsprop: 1e-2
      case .ftrl: 0.1
      }
    momentum = 0.9
    decay = 0.99
    beta1 = 0.9
    beta2 = 0.999
    epsilon = kind == .adagrad ? 1e-10 : 1e-8
    weightDecay = kind == .adamw ? 1e-2 : 0
    beta = 1
  }
}

/// Penalties on weights, never on biases: `l2` is PyTorch's `weight_decay`, `l2 * w` added to the gradient, `l1` adds
/// `l1 * sign(w)`. `ftrl` takes both in closed form.
public struct Penalty: Equatable, Sendable {
  public var l1: Double
  public var l2: Double

  public init(l1: Double = 0, l2: Double = 0) {
    self.l1 = l1
    self.l2 = l2
  }
}
