/// How a training ended.
public enum TrainingOutcome: Equatable, Sendable {
  case finished
  /// Early stopping found no improvement.
  case converged
  /// A signal asked for it; the state is saved.
  case stopped
}
