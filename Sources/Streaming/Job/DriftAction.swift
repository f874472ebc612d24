/// What a change of the world, or the suspicion of one, leads to.
public enum DriftAction: String, CaseIterable, Sendable {
  case report
  case raiseRate = "raise_rate"
  case resetOptimizer = "reset_optimizer"
  /// A fresh model beside the old one.
  case switchModel = "switch"
}
