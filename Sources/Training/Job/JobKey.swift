public import JSON
public import Settings

/// One key of a job file: where it stands, what it may hold, what it is without being given, and what it means.
///
/// This one table feeds the validation of job files, `--set`, `job.json` of a run and the README's list of keys.
public struct JobKey: Sendable {
  /// What a key may hold.
  public typealias Kind = SettingKind

  /// The names on the way to the key, as `train.batch_size`.
  public let path: String
  public let kind: Kind
  /// The value without being given; nil where the key must be given.
  public let fallback: JSONValue?
  /// One line for the README.
  public let summary: String

  init(_ path: String, _ kind: Kind, _ fallback: JSONValue?, _ summary: String) {
    self.path = path
    self.kind = kind
    self.fallback = fallback
    self.summary = summary
  }

  /// The kind in words, for messages and the README.
  public var expectation: String { kind.expectation }
}
