import Files
public import JSON

// The format of dataset.json, version 1. Keys that are not known are passed over, so that later versions may say more;
// kinds of transformations that are not known are refused, since they change what the features mean.
extension DatasetManifest {
  private static let format = "apus-dataset"

  /// No `dataset.json` of a real data set is larger: names of columns and shards, and two numbers a column.
  public static let largestFile = 256 << 20

  public var json: JSONValue {
    var members: [(String, JSONValue)] = [
      ("format", .string(Self.format)), ("version", .integer(Self.version)), ("name", .string(name)),
      (
        "features",
        .object([("dataset", .string(features)), ("columns", .array(columns.map { JSONValue.string($0) }))])
      ),
      ("target", targetJSON),
      ("transformations", .array(transformations.map(Self.json(of:)))),
    ]
    if let preparation { members.append(("preparation", preparation)) }
    if let seed { members.append(("seed", .integer(seed))) }
    if let generator { members.append(("generator", generator)) }
    members.append(("splits", .object(splits.map { ($0.name, Self.json(of: $0)) })))
    return .object(members)
  }

  private var targetJSON: JSONValue {
    switch target {
    case .none: .null
    case .classification(let name, let classes):
      .object([
        ("dataset", .string(targets)), ("name", .string(name)), ("task", "classification"),
        ("classes", .array(classes.map { JSONValue.string($0) })),
      ])
    case .regression(let name, let outputs):
      .object([
        ("dataset", .string(targets)), ("name", .string(name)), ("task", "regression"), ("outputs", .integer(outputs)),
      ])
    }
  }

  private static func json(of transformation: Transformation) -> JSONValue {
    switch transformation {
    case .standardize(let normalization, let applied):
      .object([
        ("kind", "standardize"), ("applied", .boolean(applied)),
        ("means", .array(normalization.means.map { JSONValue.number($0) })),
        ("scales", .array(normalization.scales.map { JSONValue.number($0) })),
      ])
    }
  }

  private static func json(of split: Split) -> JSONValue {
    .object([
      ("rows", .integer(split.rows)),
      (
        "shards",
        .array(split.shards.map { JSONValue.object([("file", .string($0.file)), ("rows", .integer($0.rows))]) })
      ),
    ])
  }

  /// Writes `dataset.json` into `directory`, whole or not at all. It comes last: a directory that has it is complete.
  public func write(toDirectory directory: String) throws(DataError) {
    let path = FileSystem.join(directory, Self.fileName)
    do {
      try FileSystem.write(Array(json.serialized(pretty: true).utf8), to: path, atomically: true)
    } catch {
      throw DataError(writing: error)
    }
  }

  /// Reads the file at `path`.
  public static func read(_ path: String) throws(DataError) -> DatasetManifest {
    let bytes: [UInt8]
    do { bytes = try FileSystem.read(path, limit: largestFile) } catch { throw DataError(reading: error) }
    return try DatasetManifest(parsing: bytes, path: path)
  }

  /// Reads the text of a manifest; `path` is for messages.
  public init(parsing bytes: [UInt8], path: String) throws(DataError) {
    do throws(JSONError) {
      let root = try JSONNode(parsing: bytes, valueLimit: 16_000_000)
      try self.init(root)
    } catch {
      throw DataError(error, in: path)
    }
    do {
      try checkConsistency()
    } catch {
      throw DataError(error.kind, "'\(path)': \(error.message)", hint: error.hint)
    }
  }

  private init(_ root: JSONNode) throws(JSONError) {
    guard root.asObject != nil, root["format"]?.asString == Self.format else {
      throw root.error("this is no description of an Apus data set: \"format\" is not \"\(Self.format)\"")
    }
    let version = try root.integer("version")
    guard version >= 1, version <= Self.version else {
      throw (root["version"] ?? root).error(
        "the format has version \(version); this program reads up to version \(Self.version)")
    }
    let features = try root.member("features")
    name = try root.string("name")
    columns = try features.strings("columns")
    self.features = try features.string("dataset")
    let target = try root.member("target")
    if target.isNull {
      targets = DataSource.defaultTargets
      self.target = nil
    } else {
      targets = try target.string("dataset")
      self.target = try Self.target(target)
    }
    transformations = try root.array("transformations").map { (node) throws(JSONError) in
      try Self.transformation(node)
    }
    preparation = root["preparation"]?.value
    seed = root["seed"]?.asInt
    generator = root["generator"]?.value
    splits = []
    guard let members = try root.member("splits").asObject else { throw root.error("\"splits\" is not an object") }
    for member in members {
      splits.append(Split(name: member.key, shards: try Self.shards(member.value)))
    }
  }

  private static func target(_ node: JSONNode) throws(JSONError) -> Target {
    let name = try node.string("name")
    switch try node.string("task") {
    case "classification": return .classification(name: name, classes: try node.strings("classes"))
    case "regression":
      let outputs = try node.integer("outputs")
      guard outputs > 0 else { throw node.error("a regression with \(outputs) outputs") }
      return .regression(name: name, outputs: outputs)
    case let task: throw node.error("the task \"\(task)\" is neither \"classification\" nor \"regression\"")
    }
  }

  private static func transformation(_ node: JSONNode) throws(JSONError) -> Transformation {
    let kind = try node.string("kind")
    guard kind == "standardize" else {
      throw node.error("a transformation of the kind \"\(kind)\", which this version does not know")
    }
    guard let applied = try node.member("applied").asBool else { throw node.error("\"applied\" is not true or false") }
    let (means, scales) = (try node.numbers("means"), try node.numbers("scales"))
    do throws(DataError) {
      return .standardize(try Normalization(means: means, scales: scales), applied: applied)
    } catch {
      throw node.error(error.message)
    }
  }

  private static func shards(_ node: JSONNode) throws(JSONError) -> [Shard] {
    var shards: [Shard] = []
    var total = 0
    for shard in try node.array("shards") {
      let file = try shard.string("file")
      // A data set describes its own directory: a name that leads out of it is a mistake or an attack.
      guard !file.isEmpty, !file.contains("/"), file != "..", file != ".", !file.utf8.contains(0) else {
        throw shard.error("\"\(file)\" is not the name of a file in this directory")
      }
      let rows = try shard.integer("rows")
      let sum = total.addingReportingOverflow(rows)
      guard rows >= 0, !sum.overflow else { throw shard.error("a shard with \(rows) rows") }
      total = sum.partialValue
      shards.append(Shard(file: file, rows: rows))
    }
    guard let rows = node["rows"]?.asInt, rows == total else {
      throw node.error("\"rows\" is not \(total), which is what the shards add up to")
    }
    return shards
  }

  private func checkConsistency() throws(DataError) {
    guard !columns.isEmpty else { throw DataError(.invalid, "there are no columns") }
    guard !splits.isEmpty else { throw DataError(.invalid, "there are no splits") }
    guard transformations.count <= 1 else {
      throw DataError(.invalid, "there are \(transformations.count) normalizations; this version applies one")
    }
    if let normalization, normalization.columns != columns.count {
      throw DataError(
        .invalid, "there are \(columns.count) columns and a normalization of \(normalization.columns)")
    }
  }
}
