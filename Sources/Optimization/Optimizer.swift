public import Kernels
public import Model

/// Makes steps from gradients and keeps what it must remember between them.
///
/// The state is up to two buffers with the layout of the parameters, and the number of steps; together with the
/// parameters they are all that a checkpoint needs to go on bit for bit.
public struct Optimizer: ~Copyable {
  public let settings: OptimizerSettings
  public let penalty: Penalty
  /// How many steps were made; part of the state.
  public var steps = 0
  /// What the state buffers are called in a checkpoint, in order; empty for `sgd`.
  public let stateNames: [String]
  /// Which parameters this optimizer keeps state for: the whole layout, unless state is split among ranks.
  public let owned: Range<Int>
  /// Where the parameters of each tensor stand, and whether they are biases.
  private let tensors: [(range: Range<Int>, isBias: Bool)]
  // Two named buffers, because an array cannot hold noncopyable ones; empty where the kind has no use for them.
  private var first: FloatBuffer
  private var second: FloatBuffer
  /// What the parts of a step of Adam have in common.
  private var adam: Update.AdamStep?

  /// Makes an optimizer that has made no step, its state zero.
  ///
  /// - Parameter owned: the part of the parameters that it will update; all without one.
  public init(
    _ settings: OptimizerSettings, penalty: Penalty = Penalty(), layout: ParameterLayout, owned: Range<Int>? = nil
  ) {
    let owned = owned ?? 0..<layout.count
    precondition(owned.lowerBound >= 0 && owned.upperBound <= layout.count, "part \(owned) of \(layout.count)")
    self.settings = settings
    self.penalty = penalty
    tensors = layout.entries.map { ($0.range, $0.isBias) }
    self.owned = owned
    stateNames = Self.stateNames(settings.kind)
    first = FloatBuffer(count: stateNames.count > 0 ? owned.count : 0)
    second = FloatBuffer(count: stateNames.count > 1 ? owned.count : 0)
  }

  /// What the state buffers of a kind are called.
  public static func stateNames(_ kind: OptimizerKind) -> [String] {
    switch kind {
    case .sgd: []
    case .momentum, .nesterov: ["momentum"]
    case .adagrad, .rmsprop: ["squares"]
    case .adam, .adamw: ["first_moment", "second_moment"]
    case .ftrl: ["linear", "squares"]
    }
  }

  /// Gives state buffer `index`, for those who write it without a copy.
  public func withState<R, E: Error>(
    _ index: Int, _ body: (borrowing FloatBuffer) throws(E) -> R
  ) throws(E) -> R {
    precondition(index >= 0 && index < stateNames.count, "state \(index) of \(stateNames.count)")
    return if index == 0 { try body(first) } else { try body(second) }
  }

  /// Lets `body` replace state buffer `index`.
  public mutating func updateState<E: Error>(
    _ index: Int, _ body: (inout FloatBuffer) throws(E) -> Void
  ) throws(E) {
    precondition(index >= 0 && index < stateNames.count, "state \(index) of \(stateNames.count)")
    if index == 0 { try body(&first) } else { try body(&second) }
  }

  /// Makes a step: `gradient * scale` is the gradient of the mean loss, penalties come on top.
  ///
  /// The result does not depend on how the parameters are cut into ranges.
  /// - Parameters:
  ///   - parameters: laid out as the layout says, like `gradient`.
  ///   - scale: 1 / samples for a gradient that is a sum, times `clipScale`.
  ///   - learningRate: the schedule's for this step.
  ///   - range: the part to update; all that is owned without one.
  ///   - completesStep: not set for all but the last part of a step made in parts.
  public mutating func update(
    parameters: inout FloatBuffer, gradient: borrowing FloatBuffer, scale: Float, learningRate: Double,
    range: Range<Int>? = nil, completesStep: Bool = true
  ) {
    let range = range ?? owned
    precondition(
      range.lowerBound >= owned.lowerBound && range.upperBound <= owned.upperBound, "range \(range) of \(owned)")
    for tensor in tensors {
      let part = tensor.range.clamped(to: range)
      if part.isEmpty { continue }
      step(&parameters, part, gradient, scale, learningRate, isBias: tensor.isBias)
    }
    if completesStep { steps += 1 }
  }

  private mutating func step(
    _ parameters: inout FloatBuffer, _ range: Range<Int>, _ gradient: borrowing FloatBuffer, _ scale: Float,
    _ learningRate: Double, isBias: Bool
  ) {
    let penalty = isBias ? Penalty() : penalty
    let rate = Float(learningRate)
    let terms = Update.Gradient(scale: scale, l1: Float(penalty.l1), l2: Float(penalty.l2))
    switch settings.kind {
    case .sgd:
      Update.descent(&parameters, range, gradient: gradient, terms, rate: rate)
    case .momentum, .nesterov:
      Update.momentum(
        &parameters, range, gradient: gradient, terms, velocity: &first, stateStart: owned.lowerBound, rate: rate,
        momentum: Float(settings.momentum), nesterov: settings.kind == .nesterov)
    case .adagrad:
      Update.adagrad(
        &parameters, range, gradient: gradient, terms, squares: &first, stateStart: owned.lowerBound, rate: rate,
        epsilon: Float(settings.epsilon))
    case .rmsprop:
      Update.rmsprop(
        &parameters, range, gradient: gradient, terms, squares: &first, stateStart: owned.lowerBound, rate: rate,
        decay: settings.decay, epsilon: Float(settings.epsilon))
    case .adam, .adamw:
      let decoupled = settings.kind == .adamw && !isBias ? settings.weightDecay : 0
      Update.adam(
        &parameters, range, gradient: gradient, terms, first: &first, second: &second, stateStart: owned.lowerBound,
        step: adamStep(learningRate), shrink: Float(1 - learningRate * decoupled))
    case .ftrl:
      Update.ftrl(
        &parameters, range, gradient: gradient, Update.Gradient(scale: scale, l1: 0, l2: 0), linear: &first,
        squares: &second, stateStart: owned.lowerBound, alpha: learningRate, beta: settings.beta,
        l1: Float(penalty.l1), l2: Float(penalty.l2))
    }
  }

  /// What a step of Adam is made of: computed for the first of its parts.
  private mutating func adamStep(_ learningRate: Double) -> Update.AdamStep {
    if let adam, adam.step == steps + 1, adam.learningRate == learningRate { return adam }
    let made = Update.AdamStep(
      step: steps + 1, rate: learningRate, beta1: settings.beta1, beta2: settings.beta2, epsilon: settings.epsilon)
    adam = made
    return made
  }
}
