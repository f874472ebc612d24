/// What happens to a row of a class that is not known.
enum NewClassPolicy: String, CaseIterable, Sendable {
  /// What happens to malformed ones.
  case malformed
  /// The class is added to the model.
  case add
  /// Leave it out, and count it.
  case skip
  /// End with an error.
  case fail
}
