public import JSON
internal import Settings

// How a data set and a model say what was done to their rows: the recipe, the columns of the table, and what was fitted.
extension FittedPipeline {
  private static let version = 1

  public var json: JSONValue {
    var members: [(String, JSONValue)] = [
      ("version", .integer(Self.version)), ("recipe", pipeline.recipe.json), ("dialect", dialect.json),
      ("schema", pipeline.schema.json),
    ]
    if let name = pipeline.target {
      var target: [(String, JSONValue)] = [("name", .string(name))]
      if case .classes(let classes) = self.target { target.append(("classes", .array(classes.map { .string($0) }))) }
      members.append(("target", .object(target)))
    }
    if let timeBorders {
      members.append(("time_borders", .array(timeBorders.map { $0.map { .number($0) } ?? .null })))
    }
    members.append(("fitted", .array(zip(pipeline.columns, columns).filter(\.0.isFeature).map(Self.json))))
    return .object(members)
  }

  private static func json(_ column: Pipeline.PlannedColumn, _ fitted: FittedColumn) -> JSONValue {
    var members: [(String, JSONValue)] = [("name", .string(column.name))]
    switch fitted.fill {
    case .number(let number): members.append(("fill", .number(number)))
    case .text(let text): members.append(("fill", .string(text)))
    case nil: break
    }
    members.append(
      (
        "transformations",
        .array(zip(column.transformations, fitted.transformations).map { $1.json(of: $0) })
      ))
    return .object(members)
  }

  /// Reads what `json` wrote.
  /// - Throws: `JSONError` if it is something else, or contradicts itself.
  public init(_ node: JSONNode) throws(JSONError) {
    let version = try node.integer("version")
    guard version >= 1, version <= Self.version else {
      throw node.error("the preparation has version \(version); this program reads up to version \(Self.version)")
    }
    let dialect = try CSVDialect(try node.member("dialect"))
    let schema = try Schema(try node.member("schema"))
    let target = node["target"]
    let name = try target.map { (target) throws(JSONError) in try target.string("name") }
    let recipe = try node.member("recipe")
    let pipeline: Pipeline
    do throws(InvalidSettings) {
      let recipe = try Recipe(recipe, source: "the preparation")
      pipeline = try Pipeline(recipe, schema: schema, target: name)
    } catch {
      throw node.error(error.message)
    }
    let fitted = try node.array("fitted")
    let features = pipeline.columns.indices.filter { pipeline.columns[$0].isFeature }
    guard fitted.count == features.count else {
      throw node.error("\(fitted.count) columns were fitted, and the recipe makes features of \(features.count)")
    }
    var columns = pipeline.columns.map { _ in FittedColumn() }
    for (index, node) in zip(features, fitted) { columns[index] = try FittedColumn(node, of: pipeline.columns[index]) }
    var encoding = TargetEncoding.none
    if let target { encoding = target["classes"] == nil ? .value : .classes(try target.strings("classes")) }
    do throws(PreparationError) {
      try self.init(pipeline, columns: columns, target: encoding, dialect: dialect)
    } catch {
      throw node.error(error.message)
    }
    guard node["time_borders"] != nil else { return }
    timeBorders = try node.array("time_borders").map { (node) throws(JSONError) in
      guard node.asDouble != nil || node.isNull else { throw node.error("a border in time is no number") }
      return node.asDouble
    }
    guard timeBorders?.count == 2 else { throw node.error("wanted are two borders in time") }
  }
}

extension FittedColumn {
  fileprivate init(_ node: JSONNode, of column: Pipeline.PlannedColumn) throws(JSONError) {
    guard try node.string("name") == column.name else {
      throw node.error("the fitted column \(quoted(column.name)) is wanted here")
    }
    if let fill = node["fill"] {
      if let number = fill.asDouble, column.schema.type.isNumeric {
        self.fill = .number(number)
      } else if let text = fill.asString, !column.schema.type.isNumeric {
        self.fill = .text(text)
      } else {
        throw fill.error("\(fill.kindName) to fill a column of type \(column.schema.type.rawValue)")
      }
    } else if column.missing != .error, column.missing != .drop {
      throw node.error("there is nothing to fill the column \(quoted(column.name)) with")
    }
    let nodes = try node.array("transformations")
    guard nodes.count == column.transformations.count else {
      throw node.error("\(nodes.count) transformations where the recipe asks for \(column.transformations.count)")
    }
    for (transformation, node) in zip(column.transformations, nodes) {
      transformations.append(try FittedTransformation(node, of: transformation, width: names("").count))
    }
  }
}
