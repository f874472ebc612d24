import Failures
import Text

/// A command line that cannot be understood.
struct UsageError: Error, FailureConvertible {
  let message: String
  let hint: String

  init(_ message: String, syntax: Syntax?) {
    self.message = message
    hint = syntax.map { "usage: \($0.usage); see apus \($0.name) --help" } ?? "see apus --help"
  }

  /// `word` is no `what` that exists; perhaps a similar one was meant.
  static func unknown(_ what: String, _ word: String, among names: [String], of syntax: Syntax?) -> UsageError {
    let suggestion = closest(to: word, among: names).map { "; did you mean '\($0)'?" } ?? ""
    return UsageError("unknown \(what) '\(word)'\(suggestion)", syntax: syntax)
  }

  var failure: Failure { Failure(.usage, message, hint: hint) }
}
