public import Data
import Failures
public import Model

/// The model that a job and a data set ask for together.
public struct ModelDesign: Sendable {
  public let model: Model
  /// How the training wants the targets.
  public let targetUse: TargetUse
  public let task: Task

  /// Decides loss, outputs and task.
  /// - Throws: `Failure` or `DataError` (65) where the targets do not fit the model.
  public init(job: TrainingJob, dataset: ShardedDataset) throws {
    let loss = try job.loss ?? Self.impliedLoss(dataset)
    if case .regression(let name, _) = dataset.manifest?.target, loss.isOfClasses {
      throw Failure(
        .invalidData, "the loss \(loss.rawValue) separates classes, and the target '\(name)' is a quantity",
        hint: "use model.kind \"linear\", or \"mlp\" with the loss \"squared\"; or prepare with --task classification")
    }
    let outputs = try Self.outputs(loss, job.kind, dataset)
    model = try Model(
      kind: job.kind, sizes: [dataset.columns] + job.hidden + [outputs], activation: job.activation, loss: loss)
    (targetUse, task) = Self.use(of: model)
    try dataset.check(targetUse)
  }

  /// The design of a training of `model` that goes on with `dataset`.
  /// - Throws: `DataError` (65) where the targets do not fit the model.
  init(_ model: Model, dataset: ShardedDataset) throws {
    self.model = model
    (targetUse, task) = Self.use(of: model)
    try dataset.check(targetUse)
  }

  /// What a model wants of targets, and what it is judged by.
  public static func use(of model: Model) -> (TargetUse, Task) {
    switch model.targetMeaning {
    case .classIndex: (.classIndex(classes: model.outputs), .classification(classes: model.outputs))
    case .binary where model.outputs == 1: (.binary(outputs: 1), .classification(classes: 2))
    case .binary: (.binary(outputs: model.outputs), .labels(outputs: model.outputs))
    case .values: (.values(outputs: model.outputs), .regression(outputs: model.outputs))
    }
  }

  private static func outputs(_ loss: Loss, _ kind: ModelKind, _ dataset: ShardedDataset) throws -> Int {
    switch loss {
    case .squared, .huber, .absolute:
      if case .classification(let name, let classes) = dataset.manifest?.target, kind == .linear || kind == .mlp,
        classes.contains(where: { Double($0) == nil })
      {
        throw Failure(
          .invalidData,
          "the loss \(loss.rawValue) fits numbers, and the target '\(name)' is one of \(classes.count) classes",
          hint: "use model.kind \"softmax\", or \"mlp\" with the loss \"softmax\"")
      }
      return max(dataset.targetColumns, 1)
    case .softmax:
      return max(try dataset.classes(), 2)
    case .logistic where dataset.targetColumns > 1 && kind == .mlp:
      return dataset.targetColumns
    case .logistic, .hinge, .squaredHinge:
      let classes = try dataset.classes()
      guard classes > 2 else { return 1 }
      guard loss != .logistic else {
        throw Failure(
          .invalidData, "the loss logistic separates 2 classes, and the targets have \(classes)",
          hint: "use model.kind \"softmax\", or \"mlp\" with the loss \"softmax\"")
      }
      return classes
    }
  }

  /// The loss of an mlp that names none: what the targets look like.
  private static func impliedLoss(_ dataset: ShardedDataset) throws -> Loss {
    if let target = dataset.manifest?.target {
      guard case .classification(_, let classes) = target else { return .squared }
      return classes.count > 2 ? .softmax : .logistic
    }
    guard dataset.hasIntegerTargets else { return .squared }
    return try dataset.classes() > 2 ? .softmax : .logistic
  }
}

extension Loss {
  /// Whether the loss tells classes apart, rather than measuring distances between quantities.
  package var isOfClasses: Bool {
    switch self {
    case .squared, .huber, .absolute: false
    case .logistic, .hinge, .squaredHinge, .softmax: true
    }
  }
}
