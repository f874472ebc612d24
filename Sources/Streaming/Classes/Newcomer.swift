/// A row whose class was not known when it came: it waits before its source until the ranks have agreed on the class.
struct Newcomer {
  let features: [Float]
  let label: ClassLabel
  let arrived: ContinuousClock.Instant
  /// The class that the model took it for, before it knew the right one: the row counts as an error.
  private(set) var predicted: Int?

  init(features: [Float], label: ClassLabel, arrived: ContinuousClock.Instant) {
    self.features = features
    self.label = label
    self.arrived = arrived
  }

  /// Whether the ranks have agreed on what becomes of it.
  var isSettled: Bool { predicted != nil }

  mutating func settle(predicted: Int) { self.predicted = predicted }
}
