/// How the gradients of the ranks are added.
public enum GradientReduction: String, CaseIterable, Sendable {
  /// Each virtual rank's gradient on its own, added along one fixed tree: the same bits on any number of ranks.
  case ordered
  /// A rank's rows in one pass, and any order of the sum.
  case fast
}
