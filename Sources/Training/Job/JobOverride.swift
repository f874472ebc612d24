import Failures
public import JSON

/// A `--set KEY=VALUE` of the command line.
public struct JobOverride: Equatable, Sendable {
  public let key: String
  public let value: JSONValue

  public init(key: String, value: JSONValue) {
    self.key = key
    self.value = value
  }

  /// Reads `KEY=VALUE`; the value is JSON5 where it can be read as such, and a text otherwise.
  public init(parsing argument: String) throws {
    guard let equals = argument.firstIndex(of: "="), equals != argument.startIndex else {
      throw Failure(
        .usage, "--set needs KEY=VALUE, not '\(argument)'", hint: "for example --set optimizer.learning_rate=0.01")
    }
    key = String(argument[..<equals])
    let text = String(argument[argument.index(after: equals)...])
    value = (try? JSONNode(parsing: Array(text.utf8), dialect: .json5))?.value ?? .string(text)
  }
}
