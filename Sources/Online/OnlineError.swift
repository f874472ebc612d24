internal import JSON

/// Settings that make no sense, rows that do not fit a learner, or a state that is none.
public struct OnlineError: Error, Equatable, CustomStringConvertible {
  /// What is wrong, with the numbers.
  public let description: String

  init(_ description: String) { self.description = description }

  /// What a text that should hold a state lacks.
  init(_ state: String, _ error: JSONError) {
    description = "the state of \(state): \(error.message)"
  }
}
