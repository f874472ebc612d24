/// Some rank could not do its part of a step; every rank learns it from the reduction and throws this.
public struct StepFailure: Error {
  /// What kept this rank from its part; nil where it was another rank.
  public let own: (any Error)?
}
