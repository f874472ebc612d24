public import JSON
import Text

/// What a key may hold.
public enum SettingKind: Sendable {
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
  /// A number from 0, or `"auto"`.
  case automaticNumber
  case choice([String])
  /// A choice that may be left out (null): the default depends on another key.
  case optionalChoice([String])
  case integers(ClosedRange<Int>)
  /// A number of rows, or `"full"`.
  case batch
  case texts
  case numbers
  /// Something that only its reader can check; in words.
  case other(String)

  /// The kind in words, for messages and the README.
  public var expectation: String {
    switch self {
    case .text: "a text"
    case .optionalText: "a text or null"
    case .boolean: "true or false"
    case .integer(let range): Self.words(range)
    case .optionalInteger(let range): Self.words(range) + " or null"
    case .number(let least, let exclusive, let most): Self.words(least, exclusive, most)
    case .optionalNumber(let least, let exclusive, let most): Self.words(least, exclusive, most)
    case .automaticNumber: "a number from 0 or \"auto\""
    case .choice(let names), .optionalChoice(let names): names.map { "\"\($0)\"" }.joined(separator: " | ")
    case .integers(let range): "a list, each \(Self.words(range))"
    case .batch: "an integer from 1 or \"full\""
    case .texts: "a list of texts"
    case .numbers: "a list of numbers"
    case .other(let words): words
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

extension SettingKind {
  /// The value as it is held, or nil if it does not fit.
  public func accept(_ value: JSONValue) -> JSONValue? {
    switch (self, value) {
    case (.text, .string(let text)): text.isEmpty ? nil : value
    case (.optionalText, .null), (.optionalInteger, .null), (.optionalNumber, .null), (.optionalChoice, .null): .null
    case (.optionalText, .string(let text)): text.isEmpty ? nil : value
    case (.boolean, .boolean): value
    case (.integer(let range), _), (.optionalInteger(let range), _):
      Self.whole(value).flatMap { range.contains($0) ? .integer($0) : nil }
    case (.number(let least, let exclusive, let most), _), (.optionalNumber(let least, let exclusive, let most), _):
      Self.real(value).flatMap { Self.lies($0, least, exclusive, most) ? .number($0) : nil }
    case (.automaticNumber, .string("auto")): value
    case (.automaticNumber, _):
      Self.real(value).flatMap { Self.lies($0, 0, false, .infinity) ? .number($0) : nil }
    case (.choice(let names), .string(let text)), (.optionalChoice(let names), .string(let text)):
      names.contains(text) ? value : nil
    case (.integers(let range), .array(let nodes)):
      nodes.allSatisfy { Self.whole($0.value).map(range.contains) ?? false } ? value : nil
    case (.batch, .string("full")): value
    case (.texts, .array(let nodes)): nodes.allSatisfy { $0.asString != nil } ? value : nil
    case (.numbers, .array(let nodes)): nodes.allSatisfy { $0.asDouble?.isFinite ?? false } ? value : nil
    case (.other, _): value
    case (.batch, _): Self.whole(value).flatMap { $0 >= 1 ? .integer($0) : nil }
    default: nil
    }
  }

  /// The choice that `text` may have been meant to be.
  public func nearest(to text: String) -> String? {
    switch self {
    case .choice(let names), .optionalChoice(let names): closest(to: text, among: names)
    case .batch: closest(to: text, among: ["full"])
    case .automaticNumber: closest(to: text, among: ["auto"])
    default: nil
    }
  }

  private static func whole(_ value: JSONValue) -> Int? {
    switch value {
    case .integer(let number): number
    case .number(let number): Int(exactly: number)
    default: nil
    }
  }

  private static func real(_ value: JSONValue) -> Double? {
    switch value {
    case .integer(let number): Double(number)
    case .number(let number): number
    default: nil
    }
  }

  private static func lies(_ number: Double, _ least: Double, _ exclusive: Bool, _ most: Double) -> Bool {
    guard number.isFinite else { return false }
    return exclusive ? number > least && number <= most : number >= least && (number < most || most == .infinity)
  }

  /// A value in words, for messages.
  public static func words(_ value: JSONValue) -> String {
    switch value {
    case .object: "an object"
    case .array: "a list"
    default: value.serialized(pretty: false)
    }
  }
}
