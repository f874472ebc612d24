/// An option of a command. The table of options feeds the parser, `--help` and the README.
struct Option: Sendable {
  let name: String
  /// The word that stands for the value in `--help`; nil for a flag.
  let value: String?
  let repeats: Bool
  /// The command does nothing without it.
  let isRequired: Bool
  let summary: String

  init(_ name: String, value: String? = nil, repeats: Bool = false, isRequired: Bool = false, _ summary: String) {
    precondition(value != nil || !isRequired, "the flag \(name) cannot be required")
    self.name = name
    self.value = value
    self.repeats = repeats
    self.isRequired = isRequired
    self.summary = summary
  }
}

/// An argument that stands by its position.
struct Positional: Sendable {
  let name: String
  /// It may stand once or more often; only the last one may.
  let repeats: Bool
  /// It has to stand there, at least once; only the last one need not.
  let isRequired: Bool
  let summary: String

  init(_ name: String, repeats: Bool = false, isRequired: Bool = true, _ summary: String) {
    self.name = name
    self.repeats = repeats
    self.isRequired = isRequired
    self.summary = summary
  }
}

/// What may stand after the name of a command.
struct Syntax: Sendable {
  let name: String
  let summary: String
  let positionals: [Positional]
  let options: [Option]
  /// What else there is to know, after the options.
  var notes = ""
  /// Lines of examples.
  let examples: [String]

  /// `apus prepare CSV... --target COLUMN --output DIR [options]`
  var usage: String {
    let arguments = positionals.map { positional in
      let name = positional.repeats ? "\(positional.name)..." : positional.name
      return positional.isRequired ? name : "[\(name)]"
    }
    let required = options.filter(\.isRequired).map { "\($0.name) \($0.value ?? "")" }
    let rest = required.count < options.count ? ["[options]"] : []
    return (["apus", name] + arguments + required + rest).joined(separator: " ")
  }
}

/// What stood after the name of a command.
struct Arguments: Sendable {
  private(set) var positionals: [String] = []
  private var given: [String: [String]] = [:]

  func has(_ option: String) -> Bool { given[option] != nil }
  func values(_ option: String) -> [String] { given[option] ?? [] }
  func value(_ option: String) -> String? { given[option]?.last }

  init(parsing words: [String], syntax: Syntax) throws(UsageError) {
    var rest = words[...]
    var onlyPositionals = false
    while let word = rest.popFirst() {
      if onlyPositionals || !word.hasPrefix("-") || word == "-" {
        positionals.append(word)
      } else if word == "--" {
        onlyPositionals = true
      } else {
        try take(word, from: &rest, syntax: syntax)
      }
    }
    try checkPositionals(syntax)
    if let missing = syntax.options.first(where: { $0.isRequired && given[$0.name] == nil }) {
      throw UsageError("\(missing.name) \(missing.value ?? "") is missing: \(missing.summary)", syntax: syntax)
    }
  }

  private mutating func take(_ word: String, from rest: inout ArraySlice<String>, syntax: Syntax) throws(UsageError) {
    let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
    guard let option = syntax.options.first(where: { $0.name == parts[0] }) else {
      throw UsageError.unknown("option", parts[0], among: syntax.options.map(\.name) + ["--help"], of: syntax)
    }
    guard let placeholder = option.value else {
      guard parts.count == 1 else { throw UsageError("\(option.name) takes no value", syntax: syntax) }
      given[option.name] = []
      return
    }
    guard let value = parts.count == 2 ? parts[1] : rest.popFirst() else {
      throw UsageError("\(option.name) needs a value: \(option.name) \(placeholder)", syntax: syntax)
    }
    guard option.repeats || given[option.name] == nil else {
      throw UsageError("\(option.name) is given twice", syntax: syntax)
    }
    given[option.name, default: []].append(value)
  }

  private func checkPositionals(_ syntax: Syntax) throws(UsageError) {
    if positionals.count < syntax.positionals.count, syntax.positionals[positionals.count].isRequired {
      let missing = syntax.positionals[positionals.count]
      throw UsageError("\(missing.name) is missing: \(missing.summary)", syntax: syntax)
    }
    let repeats = syntax.positionals.last?.repeats ?? false
    if !repeats, positionals.count > syntax.positionals.count {
      throw UsageError("one argument too many: '\(positionals[syntax.positionals.count])'", syntax: syntax)
    }
  }
}
