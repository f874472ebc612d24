/// What the target is learned as.
public enum TargetEncoding: Equatable, Sendable {
  /// There is none.
  case none
  /// The number itself, transformed as the recipe says.
  case value
  /// The index of its class among these.
  case classes([String])
}
