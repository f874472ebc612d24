public import JSON
import Text

/// Reads the sections of a file of settings against a table of keys, and collects all that is wrong.
///
/// A section of the table whose path ends in `NAME` stands for any name: `columns.NAME.type` for `columns.age.type`.
public struct SettingReader {
  public private(set) var problems: [SettingProblem] = []
  private let keys: [String: SettingKey]
  /// The names that may stand in each section.
  private var children: [String: [String]] = [:]
  /// What the whole file is, in words: "a recipe".
  private let noun: String

  public init(keys: [SettingKey], noun: String) {
    self.keys = Dictionary(uniqueKeysWithValues: keys.map { ($0.path, $0) })
    self.noun = noun
    for key in keys {
      var names = key.path.split(separator: ".").map(String.init)
      while let name = names.popLast() {
        let section = names.joined(separator: ".")
        if !children[section, default: []].contains(name) { children[section, default: []].append(name) }
      }
    }
  }

  /// Notes that something is wrong at the place of `node`.
  public mutating func reject(_ node: JSONNode, _ message: String) {
    problems.append(SettingProblem(origin: Self.origin(of: node), message: message))
  }

  public mutating func add(_ problem: SettingProblem) { problems.append(problem) }

  public static func origin(of node: JSONNode) -> SettingProblem.Origin {
    node.line > 0 ? .file(line: node.line, column: node.column) : .file(nil)
  }

  /// The members of a section by name: what the table knows and accepts, the rest is noted as wrong.
  ///
  /// - Parameters:
  ///   - section: the path of the section in the table; empty for the whole file.
  ///   - path: its path in the file.
  public mutating func section(_ node: JSONNode, _ section: String, path: String? = nil) -> SettingSection {
    let path = path ?? section
    var found = SettingSection(path: path, node: node, keys: keys, section: section)
    for member in members(node, path) {
      let name = path.isEmpty ? member.key : "\(path).\(member.key)"
      let pattern = section.isEmpty ? member.key : "\(section).\(member.key)"
      if let key = keys[pattern] {
        if let value = accept(member.value, as: key.kind, name) { found[member.key] = value }
      } else if children[pattern] != nil, children[section]?.contains(member.key) == true {
        found[member.key] = member.value
      } else {
        let origin = SettingProblem.Origin.file(line: member.keyLine, column: member.keyColumn)
        problems.append(SettingProblem(origin: origin, message: unknown(member.key, in: section, path)))
      }
    }
    return found
  }

  /// The members of an object whose names are free; none where it is no object, which is noted.
  public mutating func members(_ node: JSONNode, _ path: String) -> [JSONMember] {
    if case .object(let members) = node.value { return members }
    reject(
      node, "\(path.isEmpty ? noun : "'\(path)'") must be an object { ... }, not \(SettingKind.words(node.value))")
    return []
  }

  /// The value as `kind` holds it, or nil where it does not fit, which is noted.
  public mutating func accept(_ node: JSONNode, as kind: SettingKind, _ path: String) -> JSONNode? {
    if let value = kind.accept(node.value) { return JSONNode(value, line: node.line, column: node.column) }
    var message = "'\(path)' must be \(kind.expectation), not \(SettingKind.words(node.value))"
    if case .string(let text) = node.value, let near = kind.nearest(to: text) {
      message += "; did you mean \"\(near)\"?"
    }
    reject(node, message)
    return nil
  }

  private func unknown(_ name: String, in section: String, _ path: String) -> String {
    let full = path.isEmpty ? name : "\(path).\(name)"
    let siblings = children[section] ?? []
    if let near = closest(to: name, among: siblings) {
      return "unknown key '\(full)'; did you mean '\(path.isEmpty ? near : "\(path).\(near)")'?"
    }
    // A key of that very name elsewhere.
    if let elsewhere = keys.keys.sorted().first(where: { $0.hasSuffix(".\(name)") }) {
      return "unknown key '\(full)'; did you mean '\(elsewhere)'?"
    }
    return "unknown key '\(full)'; \(path.isEmpty ? noun : "'\(path)'") may have \(siblings.joined(separator: ", "))"
  }
}

/// The accepted values of one section of a file of settings, with the defaults of its table.
public struct SettingSection {
  public let path: String
  public let node: JSONNode
  private let keys: [String: SettingKey]
  private let section: String
  private var values: [String: JSONNode] = [:]

  init(path: String, node: JSONNode, keys: [String: SettingKey], section: String) {
    self.path = path
    self.node = node
    self.keys = keys
    self.section = section
  }

  /// What the file says of a key; nil where it says nothing that is accepted.
  public internal(set) subscript(name: String) -> JSONNode? {
    get { values[name] }
    set { values[name] = newValue }
  }

  private func value(_ name: String) -> JSONValue {
    if let node = values[name] { return node.value }
    return keys[section.isEmpty ? name : "\(section).\(name)"]?.fallback ?? .null
  }

  public func text(_ name: String) -> String? { value(name).asString }
  public func number(_ name: String) -> Double? { value(name).asDouble }
  public func integer(_ name: String) -> Int? { value(name).asInt }
  public func boolean(_ name: String) -> Bool { value(name).asBool ?? false }
  public func texts(_ name: String) -> [String] { value(name).asArray?.compactMap(\.asString) ?? [] }
  public func numbers(_ name: String) -> [Double] { value(name).asArray?.compactMap(\.asDouble) ?? [] }
  public func integers(_ name: String) -> [Int] { value(name).asArray?.compactMap(\.asInt) ?? [] }

  public func choice<Choice: RawRepresentable<String>>(_ name: String) -> Choice? {
    text(name).flatMap(Choice.init(rawValue:))
  }
}
