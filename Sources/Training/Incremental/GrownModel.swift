import Data
import Failures
import Model
import Online

/// A saved model with the columns and classes that new data add to it.
///
/// Columns and classes are matched by name where both sides have names, and by their place otherwise; new ones follow the old ones. Their
/// weights and biases are zero at first, not drawn from the seed's law: the scores of the old classes are then exactly those of the
/// saved model, and since every weight of the first and of the last layer meets an input or an output of its own, nothing needs to
/// be drawn to tell new ones apart.
struct GrownModel: Sendable {
  let earlier: ModelDescription
  let model: Model
  /// Names of all columns; empty where nobody knows them.
  let columns: [String]
  /// Names of all classes; empty for a regression.
  let classNames: [String]
  /// That of the saved model; for new columns that of the new data.
  let normalization: Normalization?
  /// What the rows are once they are adapted; nil where columns have no names.
  let manifest: DatasetManifest?

  /// - Parameter data: the new rows.
  /// - Throws: `Failure` where the job or the data do not fit the saved model.
  init(_ earlier: ModelDescription, job: TrainingJob, data: OpenedDataset) throws {
    self.earlier = earlier
    try Self.check(job, earlier)
    let (dataset, manifest) = (data.dataset, data.dataset.manifest)
    try Self.checkTarget(manifest?.target, earlier)
    let names = manifest?.columns ?? []
    columns = try Self.columns(earlier, names, count: dataset.columns)
    classNames = try Self.classNames(earlier, dataset)
    normalization = try Self.normalization(earlier, manifest, columns)
    let old = earlier.model
    let inputs = max(columns.count, old.inputs)
    let outputs = old.targetMeaning == .classIndex ? classNames.count : old.outputs
    model = try ModelGrowth(old, inputs: inputs, outputs: outputs).new
    guard !columns.isEmpty else {
      self.manifest = nil
      return
    }
    let preparation = try Preparations.merged(
      earlier.preparation, manifest?.preparation, classes: classNames, addsColumns: inputs > old.inputs)
    let name = earlier.target ?? manifest?.target?.name ?? ""
    self.manifest = DatasetManifest(
      name: manifest?.name ?? "", columns: columns,
      target: classNames.isEmpty
        ? .regression(name: name, outputs: outputs) : .classification(name: name, classes: classNames),
      transformations: normalization.map { [.standardize($0, applied: false)] } ?? [], preparation: preparation,
      splits: [])
  }

  private static func check(_ job: TrainingJob, _ earlier: ModelDescription) throws {
    let model = earlier.model
    func differs(_ key: String, _ wanted: String, _ found: String) -> Failure {
      Failure(
        .invalidJob, "'\(key)' is \(wanted), and the model to go on from has \(found)",
        hint: "a model keeps its kind and its hidden layers; new columns and classes come from the data")
    }
    guard job.kind == model.kind else { throw differs("model.kind", job.kind.rawValue, model.kind.rawValue) }
    let hidden = Array(model.sizes.dropFirst().dropLast())
    guard job.hidden == hidden else { throw differs("model.hidden", "\(job.hidden)", "\(hidden)") }
    guard hidden.isEmpty || job.activation == model.activation else {
      throw differs("model.activation", job.activation.rawValue, model.activation.rawValue)
    }
    if let loss = job.loss, loss != model.loss { throw differs("loss", loss.rawValue, model.loss.rawValue) }
    guard Float(job.data.scale) == Float(earlier.scale) else {
      throw differs("data.scale", "\(job.data.scale)", "\(earlier.scale)")
    }
  }

  private static func checkTarget(_ target: DatasetManifest.Target?, _ earlier: ModelDescription) throws {
    guard let target else { return }
    if let name = earlier.target, name != target.name {
      throw Failure(
        .invalidData, "the target of the data is '\(target.name)', and that of the model to go on from '\(name)'")
    }
    guard case .regression = target, earlier.model.loss.isOfClasses else { return }
    throw Failure(
      .invalidData, "the model to go on from separates classes, and the target '\(target.name)' is a quantity",
      hint: "prepare the data with --task classification")
  }

  private static func columns(_ earlier: ModelDescription, _ names: [String], count: Int) throws -> [String] {
    guard !earlier.columns.isEmpty, !names.isEmpty else {
      guard count == earlier.model.inputs else {
        throw Failure(
          .invalidData,
          "the data have \(count) columns, and the model to go on from \(earlier.model.inputs); without names on both sides they cannot be matched",
          hint: "a dataset.json names the columns: make the data set with apus prepare")
      }
      return earlier.columns.isEmpty ? names : earlier.columns
    }
    let known = Set(earlier.columns)
    return earlier.columns + names.filter { !known.contains($0) }
  }

  private static func classNames(_ earlier: ModelDescription, _ dataset: ShardedDataset) throws -> [String] {
    let old = earlier.classNames
    guard !old.isEmpty else { return [] }
    var names = old
    if dataset.classNames.isEmpty {
      for index in names.count..<max(try dataset.classes(), names.count) { names.append(String(index)) }
    } else {
      let known = Set(old)
      names += dataset.classNames.filter { !known.contains($0) }
    }
    guard names.count > old.count, earlier.model.outputs == 1 else { return names }
    throw Failure(
      .invalidData,
      "the data add the class '\(names[old.count])' to a model that tells \(old.count) classes apart by one score",
      hint: "a model that is to learn more classes is trained with the loss softmax from the start")
  }

  private static func normalization(
    _ earlier: ModelDescription, _ manifest: DatasetManifest?, _ columns: [String]
  ) throws -> Normalization? {
    let inputs = earlier.model.inputs
    let new = manifest?.normalization
    guard columns.count > inputs, earlier.normalization != nil || new != nil else { return earlier.normalization }
    var means = earlier.normalization?.means ?? [Double](repeating: 0, count: inputs)
    var scales = earlier.normalization?.scales ?? [Double](repeating: 1, count: inputs)
    for name in columns[inputs...] {
      let place = manifest?.columns.firstIndex(of: name)
      means.append(place.flatMap { new?.means[$0] } ?? 0)
      scales.append(place.flatMap { new?.scales[$0] } ?? 1)
    }
    return try Normalization(means: means, scales: scales)
  }

  /// How rows of `data` become rows of the model.
  /// - Throws: `Failure` (65) where they lack a column that the saved model has, or have one or a class that the model has not.
  func adapter(for data: OpenedDataset) throws -> RowAdapter {
    if data.dataset.manifest?.columns ?? [] == [] || columns.isEmpty {
      guard data.dataset.columns == earlier.model.inputs else {
        throw Failure(
          .invalidData,
          "'\(data.source.paths.first ?? "")' has \(data.dataset.columns) columns, and the model \(earlier.model.inputs)"
        )
      }
    }
    return try RowAdapter(
      matching: data,
      to: NamedModel(
        name: "the model to go on from", columns: columns, neededColumns: earlier.columns.count, inputs: model.inputs,
        leavesColumnsOut: false, classNames: classNames, normalization: normalization,
        hint: "columns can be added to a model, and none can be left out"))
  }
}
