/// What the ranks make of that what each has learned, where they wait for each other.
enum StepRule: String, CaseIterable, Sendable {
  /// Each row moves the model as far as it would on one rank, unless that goes too far.
  case sum
  /// The mean, by rows.
  case mean
}
