internal import Failures
public import JSON
public import Settings

extension Recipe {
  /// Reads the recipe at `path`.
  ///
  /// - Parameter overrides: keys as `split.test` that take the place of the file's, for options of the command line.
  /// - Throws: `Failure` where the file cannot be read, `InvalidSettings` with everything that is wrong in it.
  public static func read(_ path: String, overrides: [(key: String, value: JSONValue)] = []) throws -> Recipe {
    try Recipe(parsing: try text(of: path), source: path, overrides: overrides)
  }

  /// The bytes of the recipe at `path`, which one rank reads for all.
  /// - Throws: `Failure` where the file cannot be read.
  public static func text(of path: String) throws -> [UInt8] {
    let file = SettingsFile(
      kind: "recipe", usualName: "prepare.json", hint: "a recipe says how to prepare a table: see apus prepare --help")
    return try file.read(path)
  }

  /// Reads a recipe.
  /// - Parameters:
  ///   - bytes: the file, JSON5.
  ///   - source: its name, for messages.
  /// - Throws: `InvalidSettings` with everything that is wrong.
  public init(
    parsing bytes: [UInt8], source: String, overrides: [(key: String, value: JSONValue)] = []
  ) throws(InvalidSettings) {
    try self.init(try SettingsFile.parse(bytes, source: source), source: source, overrides: overrides)
  }

  /// Reads a recipe that was parsed.
  public init(
    _ root: JSONNode, source: String, overrides: [(key: String, value: JSONValue)] = []
  ) throws(InvalidSettings) {
    self.init()
    self.source = source
    var root = root
    for override in overrides {
      root = Self.setting(override.key.split(separator: ".").map(String.init)[...], override.value, in: root)
    }
    json = root.value
    var reader = SettingReader(keys: Self.keys, noun: "a recipe")
    let section = reader.section(root, "")
    readTarget(section)
    readRows(section, &reader)
    readDefaults(section, &reader)
    readColumns(section, &reader)
    readProducts(section, &reader)
    readSplit(section, &reader)
    readSample(section, &reader)
    guard reader.problems.isEmpty else { throw InvalidSettings(source: source, problems: reader.problems) }
  }

  /// `node` with the value at `path` in its objects replaced.
  private static func setting(_ path: ArraySlice<String>, _ value: JSONValue, in node: JSONNode) -> JSONNode {
    guard let name = path.first else { return JSONNode(value) }
    // What is no object is reported as such when it is read.
    guard case .object(var members) = node.value else { return node }
    let empty = JSONNode(.object([JSONMember]()))
    if let index = members.firstIndex(where: { $0.key == name }) {
      members[index].value = setting(path.dropFirst(), value, in: members[index].value)
    } else {
      let inner = setting(path.dropFirst(), value, in: empty)
      members.append(JSONMember(key: name, value: inner, keyLine: 0, keyColumn: 0))
    }
    return JSONNode(.object(members), line: node.line, column: node.column)
  }

  private mutating func readTarget(_ section: SettingSection) {
    target = section.text("target")
    if let node = section["target"] ?? section["target_transform"] { targetOrigin = SettingReader.origin(of: node) }
    task = section.choice("task") ?? .automatic
    targetTransform = section.choice("target_transform") ?? .none
  }

  private mutating func readRows(_ section: SettingSection, _ reader: inout SettingReader) {
    missingValues = section.texts("missing_values")
    duplicates = section.choice("duplicates") ?? .keep
    if let node = section["ignore"] {
      ignored = (node.asArray ?? []).map { ($0.asString ?? "", SettingReader.origin(of: $0)) }
    }
    if let node = section["filter"] {
      if case .array(let nodes) = node.value {
        filters = nodes.enumerated().compactMap { Self.formula($0.element, "filter[\($0.offset)]", &reader) }
      } else if let formula = Self.formula(node, "filter", &reader) {
        filters = [formula]
      }
    }
    if let node = section["derive"] {
      for member in reader.members(node, "derive") {
        let path = "derive.\(member.key)"
        guard !member.key.isEmpty else {
          reader.reject(member.value, "'derive' has a column without a name")
          continue
        }
        if let formula = Self.formula(member.value, path, &reader) { derived.append((member.key, formula)) }
      }
    }
  }

  private static func formula(_ node: JSONNode, _ path: String, _ reader: inout SettingReader) -> Formula? {
    guard case .string(let text) = node.value else {
      reader.reject(node, "'\(path)' must be an expression in quotes, not \(SettingKind.words(node.value))")
      return nil
    }
    do throws(ExpressionError) {
      return Formula(expression: try Expression(text), origin: SettingReader.origin(of: node), path: path)
    } catch {
      reader.reject(node, "'\(path)' \(error)")
      return nil
    }
  }

  private mutating func readDefaults(_ section: SettingSection, _ reader: inout SettingReader) {
    guard let node = section["defaults"] else { return }
    let defaults = reader.section(node, "defaults")
    defaultMissing = defaults.text("missing").flatMap(MissingTreatment.init(name:)) ?? .error
    defaultMalformed = defaults.choice("malformed") ?? .error
    defaultUnseen = defaults.choice("unseen") ?? .error
    if let node = defaults["numbers"] {
      numberTransformations = TransformationReader.read(node, "defaults.numbers", &reader)
    }
    if let node = defaults["categories"] {
      categoryTransformations = TransformationReader.read(node, "defaults.categories", &reader)
    }
  }

  private mutating func readColumns(_ section: SettingSection, _ reader: inout SettingReader) {
    guard let node = section["columns"] else { return }
    for member in reader.members(node, "columns") {
      let path = "columns.\(member.key)"
      let values = reader.section(member.value, "columns.NAME", path: path)
      var column = ColumnRecipe(
        name: member.key, origin: .file(line: member.keyLine, column: member.keyColumn))
      column.type = values.choice("type")
      column.missing = Self.missing(values, &reader)
      column.indicator = values.boolean("indicator")
      column.minimum = values.number("minimum")
      column.maximum = values.number("maximum")
      if let minimum = column.minimum, let maximum = column.maximum, minimum > maximum, let node = values["minimum"] {
        reader.reject(node, "'\(path).minimum' is above '\(path).maximum'")
      }
      column.outOfRange = values.choice("out_of_range") ?? .error
      column.malformed = values.choice("malformed")
      column.unseen = values.choice("unseen")
      column.lags = values.integers("lags")
      if let node = values["lags"], Set(column.lags).count < column.lags.count {
        reader.reject(node, "'\(path).lags' has a number twice")
      }
      if let node = values["transform"] {
        column.transformations = TransformationReader.read(node, "\(path).transform", &reader)
      }
      append(column)
    }
  }

  private static func missing(_ values: SettingSection, _ reader: inout SettingReader) -> MissingTreatment? {
    let name = values.text("missing")
    guard let node = values["fill"], !node.isNull else {
      if name == "constant", let node = values["missing"] {
        reader.reject(node, "'\(values.path).missing' is \"constant\", and '\(values.path).fill' does not say which")
      }
      return name.flatMap(MissingTreatment.init(name:))
    }
    if let name, name != "constant" {
      reader.reject(node, "'\(values.path).fill' is a constant, and '\(values.path).missing' is \"\(name)\"")
    }
    if let text = node.asString, !text.isEmpty { return .text(text) }
    if let number = node.asDouble, number.isFinite { return .number(number) }
    reader.reject(node, "'\(values.path).fill' must be a number or a text, not \(SettingKind.words(node.value))")
    return nil
  }

  private mutating func readProducts(_ section: SettingSection, _ reader: inout SettingReader) {
    if let node = section["interactions"] {
      for (index, element) in (node.asArray ?? []).enumerated() {
        let names = element.asArray?.compactMap(\.asString) ?? []
        if names.count >= 2, names.count == element.asArray?.count {
          interactions.append(Interaction(columns: names, origin: SettingReader.origin(of: element)))
        } else {
          reader.reject(element, "'interactions[\(index)]' must be a list of at least two columns")
        }
      }
      if node.asArray == nil { reader.reject(node, "'interactions' must be a list of lists of columns") }
    }
    if let node = section["polynomial"] {
      let values = reader.section(node, "polynomial")
      guard !values.texts("columns").isEmpty else {
        if values["columns"] != nil || node.asObject != nil { reader.reject(node, "'polynomial' names no columns") }
        return
      }
      polynomial = Polynomial(
        columns: values.texts("columns"), degree: values.integer("degree") ?? 2,
        interactionOnly: values.boolean("interaction_only"), origin: SettingReader.origin(of: node))
    }
  }

  private mutating func readSample(_ section: SettingSection, _ reader: inout SettingReader) {
    guard let node = section["sample"] else { return }
    let values = reader.section(node, "sample")
    var size: SampleSettings.Size?
    switch (values.integer("rows"), values.number("fraction")) {
    case (let rows?, nil): size = .rows(rows)
    case (nil, let fraction?): size = .fraction(fraction)
    case (nil, nil): reader.reject(node, "'sample' says neither how many 'rows' nor what 'fraction' of them")
    case (_?, _?): reader.reject(node, "'sample.rows' and 'sample.fraction' contradict each other")
    }
    if values.text("by") == nil, let node = values["allocation"] {
      reader.reject(node, "'sample.allocation' needs 'sample.by'")
    }
    guard let size else { return }
    var sample = SampleSettings(size, by: values.text("by"), weight: values.text("weight"))
    sample.allocation = values.choice("allocation") ?? .proportional
    sample.seed = values.integer("seed")
    self.sample = sample
  }

  private mutating func readSplit(_ section: SettingSection, _ reader: inout SettingReader) {
    guard let node = section["split"] else { return }
    let values = reader.section(node, "split")
    split = Splits(
      validation: values.number("validation"), test: values.number("test"), seed: values.integer("seed"),
      group: values.text("group"), time: values.text("time"), inOrder: values.boolean("in_order"))
    let said = ["group", "time"].filter { values.text($0) != nil } + (split.inOrder ? ["in_order"] : [])
    if said.count > 1 {
      reader.reject(values[said[1]] ?? node, "'split.\(said[0])' and 'split.\(said[1])' contradict each other")
    }
    if let validation = split.validation, let test = split.test, validation + test >= 1 {
      reader.reject(
        node, "'split.validation' and 'split.test' leave nothing to train on: together they must be below 1")
    }
  }
}
