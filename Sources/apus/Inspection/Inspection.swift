import Failures
import JSON

/// What was found at a path, for people and for programs.
protocol Inspection {
  var text: String { get }
  var json: JSONValue { get }
  /// What the command ends with: `success`, unless what was found is damaged.
  var code: ExitCode { get }
}

extension Inspection {
  var code: ExitCode { .success }
}
