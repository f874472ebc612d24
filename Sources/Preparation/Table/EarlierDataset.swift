internal import Data
internal import JSON
internal import Settings

/// A data set that rows are added to: what it says, and how its rows were prepared.
struct EarlierDataset: Sendable {
  let path: String
  let manifest: DatasetManifest
  let fitted: FittedPipeline
  /// How fields stand for no value in tables for it.
  let missingValues: MissingValue

  /// - Parameters:
  ///   - path: the directory, for messages.
  ///   - request: says for a data set without a recipe how values are missing; with one, the recipe does.
  /// - Throws: `PreparationError` if there is no way to prepare rows as those of the data set were.
  init(_ manifest: DatasetManifest, path: String, _ request: PreparationRequest) throws {
    self.path = path
    self.manifest = manifest
    guard manifest.generator == nil else {
      throw PreparationError(
        .usage, "'\(path)' is synthetic, and no table can be added to it", hint: "apus generate makes more rows")
    }
    guard let target = manifest.target else {
      throw PreparationError(.usage, "'\(path)' has no target, so that rows of tables cannot be added to it")
    }
    if let known = manifest.preparation {
      guard request.missing == .error, request.missingValues == .standard else {
        throw PreparationError(
          .usage, "--missing and --missing-value cannot change the recipe that '\(path)' was prepared with")
      }
      fitted = try FittedPipeline(JSONNode(known))
      missingValues = MissingValue(fitted.pipeline.recipe.missingValues)
    } else {
      guard !manifest.isNormalized else {
        throw PreparationError(
          .usage, "'\(path)' holds normalized features and does not say how they came about",
          hint: "apus prepare can add rows to data sets that it has made from tables")
      }
      fitted = try Self.plain(manifest, target, path, request)
      missingValues = request.missingValues
    }
    guard fitted.featureNames == manifest.columns, fitted.pipeline.target == target.name else {
      throw PreparationError(.invalid, "'\(path)': the preparation makes other columns than the data set has")
    }
    guard manifest.splits.allSatisfy({ SplitName(rawValue: $0.name) != nil }) else {
      throw PreparationError(.usage, "'\(path)' has other splits than train, validation and test")
    }
  }

  /// The preparation of a data set whose features are the columns of a table as they are.
  private static func plain(
    _ manifest: DatasetManifest, _ target: DatasetManifest.Target, _ path: String, _ request: PreparationRequest
  ) throws -> FittedPipeline {
    var isNumber = true
    var encoding = TargetEncoding.value
    switch target {
    case .classification(_, let classes):
      isNumber = classes.allSatisfy { Double($0) != nil }
      encoding = .classes(classes)
    case .regression(_, let outputs):
      guard outputs == 1 else {
        throw PreparationError(.usage, "'\(path)' has \(outputs) targets a row, and a table has one")
      }
    }
    let all = manifest.splits.reduce(0) { $0 + $1.rows }
    func share(_ split: SplitName) -> JSONValue {
      .number(all > 0 ? Double(manifest.split(named: split.rawValue)?.rows ?? 0) / Double(all) : 0)
    }
    let recipe = try Recipe(
      JSONNode(
        .object([
          ("target", .string(target.name)),
          ("defaults", .object([("missing", .string(request.missing.rawValue))])),
          (
            "split",
            .object([
              ("validation", share(.validation)), ("test", share(.test)), ("seed", .integer(manifest.seed ?? 1)),
            ])
          ),
        ])), source: path)
    let columns = manifest.columns.map { ColumnSchema(name: $0, type: .real) }
    let schema = Schema(columns + [ColumnSchema(name: target.name, type: isNumber ? .real : .text)])
    let pipeline = try Pipeline(recipe, schema: schema, target: target.name)
    return try PipelineFitter(pipeline).fitted(target: encoding, dialect: request.writtenDialect)
  }

  /// The same preparation for a table whose categories may be others as well: these stand behind those that were known.
  func fitted(for table: TableProfile) throws -> FittedPipeline {
    let known = fitted.pipeline.schema
    let found = try table.schema { name in known.index(of: name).map { known.columns[$0].type } }
    let columns = known.columns.map { column in
      guard let dictionary = column.dictionary, let place = found.index(of: column.name) else { return column }
      let old = Set(dictionary)
      let new = (found.columns[place].dictionary ?? []).filter { !old.contains($0) }
      return ColumnSchema(name: column.name, type: column.type, dictionary: dictionary + new)
    }
    let pipeline = try Pipeline(
      fitted.pipeline.recipe, schema: Schema(columns), target: fitted.pipeline.target)
    var again = try FittedPipeline(pipeline, columns: fitted.columns, target: fitted.target, dialect: fitted.dialect)
    again.timeBorders = fitted.timeBorders
    return again
  }

  /// Throws unless each file has just the columns of the table that the data set was made from.
  func checkColumns(_ tables: InputTables) throws(PreparationError) {
    let names = fitted.pipeline.schema.names
    let known = Set(names)
    for table in tables.tables {
      for column in table.header where !known.contains(column.name) {
        throw PreparationError(
          .invalid, at: column.place, "column \(quoted(column.name)) is none of those that '\(path)' was made from",
          hint: "rows can be added from tables with the same columns")
      }
      _ = try ColumnSelection(header: table.header, path: table.path, names: names, target: nil)
    }
  }

  /// The shards that a split has.
  func shards(_ split: SplitName) -> Int { manifest.split(named: split.rawValue)?.shards.count ?? 0 }

  /// Where rows go that are later than all of the data set, if these were split as they stood.
  var lastSplit: SplitName? {
    fitted.pipeline.recipe.split.inOrder
      ? SplitName.allCases.last { manifest.split(named: $0.rawValue) != nil } : nil
  }

  /// What `dataset.json` says when shards have been added.
  func manifest(adding plans: [ShardPlan]) -> DatasetManifest {
    var manifest = self.manifest
    for plan in plans {
      let added = plan.description
      if let place = manifest.splits.firstIndex(where: { $0.name == added.name }) {
        manifest.splits[place].shards += added.shards
      } else {
        manifest.splits.append(added)
      }
    }
    return manifest
  }
}
