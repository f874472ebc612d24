public import Model
public import Optimization

/// A learner with its numbers. Those that a kind does not use are ignored.
public struct LearnerSettings: Equatable, Sendable {
  public var kind: LearnerKind
  /// Columns of the features.
  public var inputs: Int
  /// 1 for a quantity or two classes; for more classes their number; for several quantities theirs.
  public var outputs: Int
  /// For `mlp`.
  public var hidden: [Int] = []
  public var activation = Activation.relu
  /// The kind's own where there is none; an `mlp` needs one.
  public var loss: Loss?
  public var optimizer = OptimizerSettings(.sgd)
  public var penalty = Penalty()
  /// For models of one layer: what biases descend with, whatever the optimizer and the schedule (River's `intercept_lr`); nil for the
  /// optimizer's own steps.
  public var biasLearningRate: Double?
  /// Without an end: `constant`, `step`, `exponential` or `inverse_time`.
  public var schedule = Schedule(.constant)
  public var seed: UInt64 = 1
  /// Whether features are standardised with running statistics; by default for all kinds but `rls`, to which a scale that changes would
  /// be another model for each row.
  public var standardizes: Bool
  /// Whether the running mean takes the place of a missing value; without it such a row is an error.
  public var imputes = false
  /// For `rls`: how much weight a row keeps with each row that follows it; 1 for no forgetting.
  public var forgetting = 1.0
  /// For `rls`: what is added to the sum of squares for each squared weight, biases left out; with forgetting it fades like a row.
  public var ridge = 0.0
  /// For `passive_aggressive`: the most that a row may change (the C of `pa1` and `pa2`).
  public var aggressiveness = 1.0
  public var variant = PassiveAggressiveVariant.pa1

  public init(_ kind: LearnerKind, inputs: Int, outputs: Int) {
    self.kind = kind
    self.inputs = inputs
    self.outputs = outputs
    standardizes = kind != .rls
  }

  /// The model that the learner makes.
  /// - Throws: `OnlineError` where kind, sizes, loss and numbers do not go together.
  func model() throws(OnlineError) -> Model {
    guard let loss = loss ?? kind.modelKind.losses.first, self.loss != nil || kind != .mlp else {
      throw OnlineError("a learner of kind \"mlp\" needs a loss")
    }
    do {
      let model = try Model(
        kind: kind.modelKind, sizes: [inputs] + hidden + [outputs], activation: activation, loss: loss)
      try check(model)
      return model
    } catch let error as ModelError {
      throw OnlineError(error.description)
    } catch let error as OnlineError {
      throw error
    } catch {
      throw OnlineError("\(error)")
    }
  }

  private func check(_ model: Model) throws(OnlineError) {
    switch kind {
    case .rls where model.loss != .squared:
      throw OnlineError("rls has the loss \"squared\", not \"\(model.loss.rawValue)\"")
    case .passiveAggressive where model.loss != .hinge:
      throw OnlineError("passive_aggressive has the loss \"hinge\", not \"\(model.loss.rawValue)\"")
    case .svm, .passiveAggressive, .mlp:
      if outputs == 2, model.loss == .hinge || model.loss == .squaredHinge {
        throw OnlineError("two classes take one output of \"\(model.loss.rawValue)\", not 2")
      }
    default: break
    }
    if outputs > 1, model.loss == .logistic {
      throw OnlineError("the loss \"logistic\" of a stream separates two classes with one output, not with \(outputs)")
    }
    guard forgetting > 0, forgetting <= 1 else {
      throw OnlineError("forgetting is \(forgetting), not above 0 and at most 1")
    }
    guard ridge >= 0, ridge.isFinite, aggressiveness > 0 else {
      throw OnlineError("ridge is \(ridge) and aggressiveness \(aggressiveness), which have to be positive")
    }
    if let rate = biasLearningRate {
      guard rate >= 0, rate.isFinite else { throw OnlineError("a learning rate of the biases of \(rate)") }
      guard kind.hasGradient, model.depth == 1 else {
        throw OnlineError("a learning rate of the biases alone is for models of one layer that descend along gradients")
      }
    }
    if schedule.kind == .cosine || schedule.kind == .plateau {
      throw OnlineError("the schedule \"\(schedule.kind.rawValue)\" needs an end, which a stream has not")
    }
    if kind == .rls, inputs > RecursiveLeastSquares.mostInputs {
      throw OnlineError(
        "rls takes at most \(RecursiveLeastSquares.mostInputs) columns, not \(inputs): a row costs their square")
    }
  }
}

/// How much a row changes a passive-aggressive model (Crammer et al. 2006).
public enum PassiveAggressiveVariant: String, CaseIterable, Sendable {
  /// Until it is right with a margin, whatever it takes.
  case pa
  /// The same, but at most by the aggressiveness.
  case pa1
  /// The same, softened by the aggressiveness.
  case pa2
}
