/// The families of models that a job can name.
public enum ModelKind: String, CaseIterable, Sendable {
  /// One dense layer for values.
  case linear
  /// One dense layer whose outputs are log-odds of yes-or-no labels.
  case logistic
  /// One dense layer whose outputs are margins: one for two classes, one a class for more.
  case svm
  /// One dense layer whose outputs are scores of classes.
  case softmax
  /// Dense layers with an activation between them, with any loss.
  case mlp

  /// The losses that make sense for the kind; the first is the one meant where a job names none. An `mlp` has no such
  /// one: it depends on the targets.
  public var losses: [Loss] {
    switch self {
    case .linear: [.squared, .huber, .absolute]
    case .logistic: [.logistic]
    case .svm: [.hinge, .squaredHinge]
    case .softmax: [.softmax]
    case .mlp: Loss.allCases
    }
  }

  /// Whether the kind has layers between inputs and outputs.
  public var hasHiddenLayers: Bool { self == .mlp }
}
