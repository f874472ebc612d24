import JSON
import Text

/// The values of a job by key, each checked against the table of keys, with the defaults filled in.
struct JobValues {
  private var values: [String: JSONValue] = [:]
  private(set) var problems: [JobProblem] = []
  private var origins: [String: JobProblem.Origin] = [:]
  private var given: Set<String> = []

  /// Checks `root` against the table and fills in what it leaves out.
  init(_ root: JSONNode, overrides: [JobOverride]) {
    collect(root, below: "")
    for override in overrides { set(override) }
    for key in JobKey.all where values[key.path] == nil {
      if let fallback = key.fallback {
        values[key.path] = fallback
      } else if !given.contains(key.path) {
        problems.append(JobProblem(origin: .file(nil), message: "'\(key.path)' is missing"))
      }
    }
  }

  /// Notes that the value of `key` does not fit with others.
  mutating func reject(_ key: String, _ message: String) {
    problems.append(JobProblem(origin: origins[key] ?? .file(nil), message: "'\(key)' \(message)"))
  }

  /// True if the job says something about `key`, even if it is the default.
  func isGiven(_ key: String) -> Bool { given.contains(key) }

  subscript(key: String) -> JSONValue { values[key] ?? .null }

  func text(_ key: String) -> String? {
    if case .string(let text) = self[key] { text } else { nil }
  }

  func integer(_ key: String) -> Int? {
    if case .integer(let number) = self[key] { number } else { nil }
  }

  func number(_ key: String) -> Double? {
    switch self[key] {
    case .integer(let number): Double(number)
    case .number(let number): number
    default: nil
    }
  }

  func boolean(_ key: String) -> Bool { self[key] == .boolean(true) }

  func integers(_ key: String) -> [Int] {
    guard case .array(let nodes) = self[key] else { return [] }
    return nodes.compactMap { if case .integer(let number) = $0.value { number } else { nil } }
  }

  // MARK: Reading

  /// Keys of which one says what the other would.
  private static let alternatives = ["train.steps": "train.epochs", "train.epochs": "train.steps"]

  private static let paths = Set(JobKey.all.map(\.path))
  private static let sections = Set(
    JobKey.all.flatMap { key in
      let names = key.path.split(separator: ".")
      return (1..<max(names.count, 1)).map { names.prefix($0).joined(separator: ".") }
    })

  private mutating func collect(_ node: JSONNode, below section: String) {
    guard case .object(let members) = node.value else {
      let what = section.isEmpty ? "a job" : "'\(section)'"
      problems.append(
        JobProblem(
          origin: .file(line: node.line, column: node.column),
          message: "\(what) must be an object { ... }, not \(Self.words(node.value))"))
      return
    }
    for member in members {
      let path = section.isEmpty ? member.key : "\(section).\(member.key)"
      if Self.sections.contains(path) {
        collect(member.value, below: path)
      } else if Self.paths.contains(path) {
        take(member.value.value, for: path, at: .file(line: member.value.line, column: member.value.column))
      } else {
        let origin = JobProblem.Origin.file(line: member.keyLine, column: member.keyColumn)
        problems.append(JobProblem(origin: origin, message: Self.unknown(path)))
      }
    }
  }

  private mutating func set(_ override: JobOverride) {
    if Self.paths.contains(override.key) {
      values[override.key] = nil
      // Steps on the command line take the place of the file's epochs, and the other way round.
      if let other = Self.alternatives[override.key], override.value != .null { values[other] = .null }
      take(override.value, for: override.key, at: .override(override.key))
    } else {
      problems.append(JobProblem(origin: .override(override.key), message: Self.unknown(override.key)))
    }
  }

  private mutating func take(_ value: JSONValue, for path: String, at origin: JobProblem.Origin) {
    guard let key = JobKey.all.first(where: { $0.path == path }) else { return }
    given.insert(path)
    origins[path] = origin
    if let accepted = key.kind.accept(value) {
      values[path] = accepted
    } else {
      var message = "'\(path)' must be \(key.expectation), not \(Self.words(value))"
      if case .string(let text) = value, let near = key.kind.nearest(to: text) {
        message += "; did you mean \"\(near)\"?"
      }
      problems.append(JobProblem(origin: origin, message: message))
    }
  }

  private static func unknown(_ path: String) -> String {
    let name = path.split(separator: ".").last.map(String.init) ?? path
    let section = path.split(separator: ".").dropLast().joined(separator: ".")
    let siblings = (paths.union(sections)).filter {
      $0.split(separator: ".").dropLast().joined(separator: ".") == section
    }
    // A key of this section with a similar name, or a key of that very name elsewhere.
    let candidates = siblings.map { $0.split(separator: ".").last.map(String.init) ?? $0 }.sorted()
    if let near = closest(to: name, among: candidates) {
      let full = section.isEmpty ? near : "\(section).\(near)"
      return "unknown key '\(path)'; did you mean '\(full)'?"
    }
    if let elsewhere = paths.sorted().first(where: { $0.hasSuffix(".\(name)") }) {
      return "unknown key '\(path)'; did you mean '\(elsewhere)'?"
    }
    let there = section.isEmpty ? "a job" : "'\(section)'"
    return "unknown key '\(path)'; \(there) may have \(candidates.joined(separator: ", "))"
  }

  private static func words(_ value: JSONValue) -> String {
    switch value {
    case .object: "an object"
    case .array: "a list"
    default: value.serialized(pretty: false)
    }
  }
}

extension JobKey.Kind {
  /// The value as the job holds it, or nil if it does not fit.
  func accept(_ value: JSONValue) -> JSONValue? {
    switch (self, value) {
    case (.text, .string(let text)): text.isEmpty ? nil : value
    case (.optionalText, .null), (.optionalInteger, .null), (.optionalNumber, .null), (.optionalChoice, .null): .null
    case (.optionalText, .string(let text)): text.isEmpty ? nil : value
    case (.boolean, .boolean): value
    case (.integer(let range), _), (.optionalInteger(let range), _):
      Self.whole(value).flatMap { range.contains($0) ? .integer($0) : nil }
    case (.number(let least, let exclusive, let most), _), (.optionalNumber(let least, let exclusive, let most), _):
      Self.real(value).flatMap { Self.lies($0, least, exclusive, most) ? .number($0) : nil }
    case (.choice(let names), .string(let text)), (.optionalChoice(let names), .string(let text)):
      names.contains(text) ? value : nil
    case (.integers(let range), .array(let nodes)):
      nodes.allSatisfy { Self.whole($0.value).map(range.contains) ?? false } ? value : nil
    case (.batch, .string("full")): value
    case (.batch, _): Self.whole(value).flatMap { $0 >= 1 ? .integer($0) : nil }
    default: nil
    }
  }

  /// The choice that `text` may have been meant to be.
  func nearest(to text: String) -> String? {
    switch self {
    case .choice(let names), .optionalChoice(let names): closest(to: text, among: names)
    case .batch: closest(to: text, among: ["full"])
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
}
