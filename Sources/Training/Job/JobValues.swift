package import JSON
package import Settings
import Text

/// The values of a job by key, each checked against the table of keys, with the defaults filled in.
package struct JobValues {
  private var values: [String: JSONValue] = [:]
  package private(set) var problems: [SettingProblem] = []
  private var origins: [String: SettingProblem.Origin] = [:]
  private var given: Set<String> = []

  private let keys: [JobKey]
  private let paths: Set<String>
  private let sections: Set<String>

  /// Checks `root` against the table and fills in what it leaves out.
  package init(_ root: JSONNode, overrides: [JobOverride], keys: [JobKey] = JobKey.all) {
    self.keys = keys
    paths = Set(keys.map(\.path))
    sections = Set(
      keys.flatMap { key in
        let names = key.path.split(separator: ".")
        return (1..<max(names.count, 1)).map { names.prefix($0).joined(separator: ".") }
      })
    collect(root, below: "")
    for override in overrides { set(override) }
    for key in keys where values[key.path] == nil {
      if let fallback = key.fallback {
        values[key.path] = fallback
      } else if !given.contains(key.path) {
        problems.append(SettingProblem(origin: .file(nil), message: "'\(key.path)' is missing"))
      }
    }
  }

  /// Notes that the value of `key` does not fit with others.
  package mutating func reject(_ key: String, _ message: String) {
    problems.append(SettingProblem(origin: origins[key] ?? .file(nil), message: "'\(key)' \(message)"))
  }

  /// True if the job says something about `key`, even if it is the default.
  package func isGiven(_ key: String) -> Bool { given.contains(key) }

  package subscript(key: String) -> JSONValue { values[key] ?? .null }

  package func text(_ key: String) -> String? {
    if case .string(let text) = self[key] { text } else { nil }
  }

  package func integer(_ key: String) -> Int? {
    if case .integer(let number) = self[key] { number } else { nil }
  }

  package func number(_ key: String) -> Double? {
    switch self[key] {
    case .integer(let number): Double(number)
    case .number(let number): number
    default: nil
    }
  }

  package func boolean(_ key: String) -> Bool { self[key] == .boolean(true) }

  package func texts(_ key: String) -> [String] { self[key].asArray?.compactMap(\.asString) ?? [] }

  package func numbers(_ key: String) -> [Double] { self[key].asArray?.compactMap(\.asDouble) ?? [] }

  package func integers(_ key: String) -> [Int] {
    guard case .array(let nodes) = self[key] else { return [] }
    return nodes.compactMap { if case .integer(let number) = $0.value { number } else { nil } }
  }

  // MARK: Reading

  /// Keys of which one says what the other would.
  private static let alternatives = ["train.steps": "train.epochs", "train.epochs": "train.steps"]

  private mutating func collect(_ node: JSONNode, below section: String) {
    guard case .object(let members) = node.value else {
      let what = section.isEmpty ? "a job" : "'\(section)'"
      problems.append(
        SettingProblem(
          origin: .file(line: node.line, column: node.column),
          message: "\(what) must be an object { ... }, not \(SettingKind.words(node.value))"))
      return
    }
    for member in members {
      let path = section.isEmpty ? member.key : "\(section).\(member.key)"
      if sections.contains(path) {
        collect(member.value, below: path)
      } else if paths.contains(path) {
        take(member.value.value, for: path, at: .file(line: member.value.line, column: member.value.column))
      } else {
        let origin = SettingProblem.Origin.file(line: member.keyLine, column: member.keyColumn)
        problems.append(SettingProblem(origin: origin, message: unknown(path)))
      }
    }
  }

  private mutating func set(_ override: JobOverride) {
    if paths.contains(override.key) {
      values[override.key] = nil
      // Steps on the command line take the place of the file's epochs, and the other way round.
      if let other = Self.alternatives[override.key], override.value != .null { values[other] = .null }
      take(override.value, for: override.key, at: .override(override.key))
    } else {
      problems.append(SettingProblem(origin: .override(override.key), message: unknown(override.key)))
    }
  }

  private mutating func take(_ value: JSONValue, for path: String, at origin: SettingProblem.Origin) {
    guard let key = keys.first(where: { $0.path == path }) else { return }
    given.insert(path)
    origins[path] = origin
    if let accepted = key.kind.accept(value) {
      values[path] = accepted
    } else {
      var message = "'\(path)' must be \(key.expectation), not \(SettingKind.words(value))"
      if case .string(let text) = value, let near = key.kind.nearest(to: text) {
        message += "; did you mean \"\(near)\"?"
      }
      problems.append(SettingProblem(origin: origin, message: message))
    }
  }

  private func unknown(_ path: String) -> String {
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
}
