public import Model

/// The learners that a stream can name.
public enum LearnerKind: String, CaseIterable, Sendable {
  /// Models that descend along gradients.
  case linear, logistic, svm, softmax, mlp
  /// A linear model that is the least-squares solution of all rows so far.
  case rls
  /// A linear classifier that changes as little as a row demands.
  case passiveAggressive = "passive_aggressive"

  /// The kind of model that a model file holds.
  public var modelKind: ModelKind {
    switch self {
    case .linear, .rls: .linear
    case .logistic: .logistic
    case .svm, .passiveAggressive: .svm
    case .softmax: .softmax
    case .mlp: .mlp
    }
  }

  /// Whether learning is a matter of gradients and an optimizer.
  public var hasGradient: Bool { self != .rls && self != .passiveAggressive }
}
