public import JSON

/// One key of a job file: where it stands, what it may hold, what it is without being given, and what it means.
///
/// This one table feeds the validation of job files, `--set`, `job.json` of a run and the README's list of keys.
public struct JobKey: Sendable {
  /// What a key may hold.
  public enum Kind: Sendable {
    case text
    case optionalText
    case boolean
    case integer(ClosedRange<Int>)
    /// An integer that may be left out (null).
    case optionalInteger(ClosedRange<Int>)
    /// A number above `exclusive` lower bound, or from an inclusive one, up to `most`.
    case number(least: Double, exclusive: Bool, most: Double)
    /// A number that may be left out (null): the default depends on another key.
    case optionalNumber(least: Double, exclusive: Bool, most: Double)
    case choice([String])
    /// A choice that may be left out (null): the default depends on another key.
    case optionalChoice([String])
    case integers(ClosedRange<Int>)
    /// A number of rows, or `"full"`.
    case batch
  }

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
  public var expectation: String {
    switch kind {
    case .text: "a text"
    case .optionalText: "a text or null"
    case .boolean: "true or false"
    case .integer(let range): Self.words(range)
    case .optionalInteger(let range): Self.words(range) + " or null"
    case .number(let least, let exclusive, let most): Self.words(least, exclusive, most)
    case .optionalNumber(let least, let exclusive, let most): Self.words(least, exclusive, most)
    case .choice(let names), .optionalChoice(let names): names.map { "\"\($0)\"" }.joined(separator: " | ")
    case .integers(let range): "a list, each \(Self.words(range))"
    case .batch: "an integer from 1 or \"full\""
    }
  }

  private static func words(_ range: ClosedRange<Int>) -> String {
    range.lowerBound == range.upperBound
      ? "\(range.lowerBound)"
      : range.upperBound == Int.max
        ? "an integer from \(range.lowerBound)" : "an integer from \(range.lowerBound) to \(range.upperBound)"
  }

  private static func words(_ least: Double, _ exclusive: Bool, _ most: Double) -> String {
    let from = least == -.infinity ? "a number" : "a number \(exclusive ? "above" : "from") \(plain(least))"
    return most == .infinity ? from : "\(from) and \(exclusive ? "up to" : "below") \(plain(most))"
  }

  /// 1 rather than 1.0.
  private static func plain(_ number: Double) -> String {
    Int(exactly: number).map { String($0) } ?? String(number)
  }
}
