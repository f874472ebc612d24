public import JSON

/// One key of a file of settings: where it stands, what it may hold, what it is without being given, and what it means.
///
/// One table of them for each kind of file feeds its validation, what is written of it and the README's list of keys.
public struct SettingKey: Sendable {
  /// What a key may hold.
  public typealias Kind = SettingKind

  /// The names on the way to the key, as `train.batch_size`.
  public let path: String
  public let kind: Kind
  /// The value without being given; nil where the key must be given.
  public let fallback: JSONValue?
  /// One line for the README.
  public let summary: String

  public init(_ path: String, _ kind: Kind, _ fallback: JSONValue?, _ summary: String) {
    self.path = path
    self.kind = kind
    self.fallback = fallback
    self.summary = summary
  }

  /// The kind in words, for messages and the README.
  public var expectation: String { kind.expectation }

  /// The keys as a Markdown table of the README.
  public static func reference(of keys: [SettingKey]) -> String {
    let head = ["| key | value | default | meaning |", "|---|---|---|---|"]
    let rows = keys.map { key in
      let fallback = key.fallback.map { $0 == .null ? "" : "`\($0.serialized(pretty: false))`" } ?? "*needed*"
      let expectation = key.expectation.replacing("|", with: "\\|")
      return "| `\(key.path)` | \(expectation) | \(fallback) | \(key.summary) |"
    }
    return (head + rows).joined(separator: "\n") + "\n"
  }
}
