public import Data
import Failures
import Files
public import JSON
public import Model

/// What a model file says beside its parameters: the metadata of `model.safetensors`.
public struct ModelDescription: Sendable {
  /// The first format had no checksum.
  public static let format = "apus-model-2"
  /// The metadatum that says the step.
  static let stepKey = "step"

  public var model: Model
  /// Names of the classes by index; empty for a regression.
  public var classNames: [String]
  /// Names of the columns of the features, where the data set has them.
  public var columns: [String]
  /// Name of the target, where the data set has one.
  public var target: String?
  /// What was done to the stored features before the model saw them.
  public var normalization: Normalization?
  public var scale: Double
  /// How raw rows became the rows of the training, as data preparation writes it; nil where they are the columns of a table.
  public var preparation: JSONValue?
  /// Updates done.
  public var step: Int
  /// The job as JSON, without where it wrote to.
  public var job: String

  public init(
    model: Model, dataset: ShardedDataset, normalization: Normalization?, scale: Double, step: Int, job: TrainingJob
  ) {
    self.model = model
    self.normalization = normalization
    self.scale = scale
    self.step = step
    self.job = job.definition.serialized(pretty: false)
    columns = dataset.manifest?.columns ?? []
    target = dataset.manifest?.target?.name
    preparation = dataset.manifest?.preparation
    let (_, task) = ModelDesign.use(of: model)
    if case .classification(let classes) = task {
      let names = dataset.classNames
      classNames = names.count == classes ? names : (0..<classes).map(String.init)
    } else {
      classNames = []
    }
  }

  /// - Parameter job: as JSON, without where it wrote to.
  package init(
    model: Model, classNames: [String], columns: [String], target: String?, normalization: Normalization?, step: Int,
    job: String
  ) {
    self.model = model
    self.classNames = classNames
    self.columns = columns
    self.target = target
    self.normalization = normalization
    self.step = step
    self.job = job
    scale = 1
  }

  /// The metadata, in the order of the file.
  var metadata: [(key: String, value: String)] {
    func list(_ texts: [String]) -> String { JSONValue.array(texts.map { .string($0) }).serialized(pretty: false) }
    var pairs: [(key: String, value: String)] = [
      ("format", Self.format), ("kind", model.kind.rawValue), ("activation", model.activation.rawValue),
      ("loss", model.loss.rawValue), ("classes", list(classNames)), ("columns", list(columns)),
    ]
    if let target { pairs.append(("target", target)) }
    pairs.append(("normalization", normalizationJSON))
    if let preparation { pairs.append(("preparation", preparation.serialized(pretty: false))) }
    pairs.append((Self.stepKey, String(step)))
    pairs.append(("job", job))
    return pairs
  }

  private var normalizationJSON: String {
    func list(_ numbers: [Double]) -> JSONValue { .array(numbers.map { .number($0) }) }
    return JSONValue.object([
      ("scale", .number(scale)), ("means", normalization.map { list($0.means) } ?? .null),
      ("scales", normalization.map { list($0.scales) } ?? .null),
    ]).serialized(pretty: false)
  }
}

extension ModelDescription {
  /// What the job of the training says at `path`; nil where it says nothing.
  func setting(_ path: String...) -> JSONNode? {
    guard var node = try? JSONNode(parsing: Array(job.utf8), dialect: .json) else { return nil }
    for key in path {
      guard let inner = node[key] else { return nil }
      node = inner
    }
    return node
  }

  /// Throws unless the rows of `dataset` are such as the model was trained on.
  public func check(_ dataset: ShardedDataset) throws {
    try checkColumns(of: dataset)
    if !dataset.classNames.isEmpty, dataset.classNames != classNames { try throwOtherClasses(dataset.classNames) }
  }

  /// Throws where the data have a class, by name, that the model does not know.
  func checkClasses(of dataset: ShardedDataset) throws {
    let known = Set(classNames)
    if !dataset.classNames.allSatisfy(known.contains) { try throwOtherClasses(dataset.classNames) }
  }

  private func throwOtherClasses(_ names: [String]) throws {
    guard !classNames.isEmpty else { return }
    throw Failure(
      .invalidData,
      "the data have the \(names.count) classes \(Self.listed(names)), and the model was trained on the \(classNames.count) classes \(Self.listed(classNames))",
      hint: "apus train --from adds classes to a model")
  }

  /// Throws unless the columns of `dataset` are those that the model was trained on, by number and, where both know them, by
  /// name.
  public func checkColumns(of dataset: ShardedDataset) throws {
    guard dataset.columns == model.inputs else {
      throw Failure(
        .invalidData, "the data have \(dataset.columns) columns, and the model was trained on \(model.inputs)",
        hint: Self.sameColumns)
    }
    let names = dataset.manifest?.columns ?? []
    guard columns.count == names.count, let odd = names.indices.first(where: { names[$0] != columns[$0] }) else {
      return
    }
    throw Failure(
      .invalidData,
      "column \(odd) of the data is '\(names[odd])', and the model was trained on '\(columns[odd])' there",
      hint: Self.sameColumns)
  }

  static let sameColumns = "a data set for this model is prepared from the same columns as its training data"

  private static func listed(_ names: [String]) -> String {
    names.prefix(8).joined(separator: ", ") + (names.count > 8 ? ", ..." : "")
  }
}

extension TrainingJob {
  /// The part of the job that defines what is trained. Where the run writes to and how its ranks share the model are left out, or as on
  /// one rank, so that equal trainings leave equal files.
  var definition: JSONValue {
    var job = self
    job.split = ModelSplit()
    guard case .object(let members) = job.json else { return json }
    let layout = ["stages", "shard_optimizer", "shared_memory"]
    return .object(
      members.filter { !["output", "checkpoint", "watchdog"].contains($0.key) }.map { member in
        guard member.key == "parallel", let parallel = member.value.asObject else { return member }
        return JSONMember(key: member.key, value: JSONValue.object(parallel.filter { !layout.contains($0.key) }))
      })
  }
}

extension ModelDescription {
  /// Reads the description of an open model file.
  /// - Throws: `DataError` (65) where the file is no model, or not a whole one.
  public init(_ file: borrowing SafetensorsFile) throws {
    let path = file.path
    func invalid(_ message: String) -> DataError { DataError(.invalid, "'\(path)' \(message)") }
    func value(_ key: String) throws -> String {
      guard let value = file.metadata(key) else {
        throw DataError(
          .invalid, "'\(path)' has no metadata '\(key)', so what kind of model it holds is not known",
          hint: "a file without metadata can be train.initial_model; training from it gives a whole model file")
      }
      return value
    }
    func choice<Choice: RawRepresentable<String>>(_ key: String) throws -> Choice {
      let text = try value(key)
      guard let choice = Choice(rawValue: text) else { throw invalid("has the unknown \(key) '\(text)'") }
      return choice
    }
    let sizes = try Self.sizes(file)
    do {
      model = try Model(kind: choice("kind"), sizes: sizes, activation: choice("activation"), loss: choice("loss"))
    } catch let error as ModelError {
      throw invalid("holds no model: \(error.description)")
    }
    classNames = try Self.texts(file, "classes")
    columns = try Self.texts(file, "columns")
    target = file.metadata("target")
    step = file.metadata(Self.stepKey).flatMap { Int($0) } ?? 0
    job = file.metadata("job") ?? ""
    preparation = try Self.preparation(file)
    (normalization, scale) = try Self.normalization(file, columns: sizes[0])
    let (_, task) = ModelDesign.use(of: model)
    if case .classification(let classes) = task, classNames.count != classes {
      throw invalid("names \(classNames.count) classes for a model of \(classes)")
    }
    guard columns.isEmpty || columns.count == sizes[0] else {
      throw invalid("names \(columns.count) columns for a model of \(sizes[0])")
    }
  }

  /// The sizes that the shapes of the weights tell: inputs, hidden, outputs.
  private static func sizes(_ file: borrowing SafetensorsFile) throws -> [Int] {
    var sizes: [Int] = []
    var layer = 0
    while let weight = file.tensor(named: "layers.\(layer).weight") {
      guard weight.shape.count == 2 else {
        throw DataError(
          .invalid, "'\(file.path)': 'layers.\(layer).weight' has the shape \(weight.shape), not [outputs, inputs]")
      }
      if layer == 0 { sizes.append(weight.shape[1]) }
      sizes.append(weight.shape[0])
      layer += 1
    }
    guard layer > 0 else {
      throw DataError(.invalid, "'\(file.path)' holds no model: it has no tensor 'layers.0.weight'")
    }
    return sizes
  }

  private static func texts(_ file: borrowing SafetensorsFile, _ key: String) throws -> [String] {
    guard let text = file.metadata(key) else { return [] }
    let values = try? JSONNode(parsing: Array(text.utf8), dialect: .json).asArray
    guard let texts = values?.map(\.asString), texts.allSatisfy({ $0 != nil }) else {
      throw DataError(.invalid, "'\(file.path)': the metadata '\(key)' is no list of texts")
    }
    return texts.compactMap { $0 }
  }

  private static func preparation(_ file: borrowing SafetensorsFile) throws -> JSONValue? {
    guard let text = file.metadata("preparation") else { return nil }
    guard let node = try? JSONNode(parsing: Array(text.utf8), dialect: .json), node.asObject != nil else {
      throw DataError(.invalid, "'\(file.path)': the metadata 'preparation' cannot be understood")
    }
    return node.value
  }

  private static func normalization(
    _ file: borrowing SafetensorsFile, columns: Int
  ) throws -> (Normalization?, scale: Double) {
    guard let text = file.metadata("normalization") else { return (nil, 1) }
    let invalid = DataError(.invalid, "'\(file.path)': the metadata 'normalization' cannot be understood")
    guard let node = try? JSONNode(parsing: Array(text.utf8), dialect: .json),
      let scale = node["scale"]?.asDouble, scale.isFinite, scale != 0, Float(scale).isFinite, Float(scale) != 0
    else { throw invalid }
    guard let means = node["means"]?.asArray, let scales = node["scales"]?.asArray else { return (nil, scale) }
    let normalization = try Normalization(means: means.compactMap(\.asDouble), scales: scales.compactMap(\.asDouble))
    guard normalization.columns == columns, means.count == columns else { throw invalid }
    return (normalization, scale)
  }
}
