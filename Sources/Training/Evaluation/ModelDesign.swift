public import Data
public import Model

/// The model that a job and a data set ask for together.
public struct ModelDesign: Sendable {
  public let model: Model
  /// How the training wants the targets.
  public let targetUse: TargetUse
  public let task: Task

  /// Decides loss, outputs and task.
  /// - Throws: `Failure` (65, with both numbers) where the targets do not fit the model.
  public init(job: TrainingJob, dataset: ShardedDataset) throws {
    let targets = dataset.targetKind
    let loss = try job.loss ?? Self.impliedLoss(targets)
    let outputs: Int
    switch loss {
    case .squared, .huber, .absolute:
      outputs = targets.columns
      targetUse = .values(outputs: outputs)
      task = .regression(outputs: outputs)
    case .softmax:
      guard let classes = targets.classes else {
        throw Self.misfit("the loss softmax needs class labels, and '\(job.data.targets)' holds \(targets.words)")
      }
      outputs = max(classes, 2)
      targetUse = .classIndex(classes: outputs)
      task = .classification(classes: outputs)
    case .logistic where targets.classes == nil && targets.columns > 1 && job.kind == .mlp:
      outputs = targets.columns
      targetUse = .binary(outputs: outputs)
      task = .labels(outputs: outputs)
    case .logistic, .hinge, .squaredHinge:
      let classes = targets.classes ?? 2
      guard targets.classes != nil || targets.columns == 1 else {
        throw Self.misfit("the loss \(loss.rawValue) needs one label a row, and '\(job.data.targets)' holds \(targets.words)")
      }
      if classes > 2, loss == .logistic {
        throw Self.misfit(
          "the loss logistic separates 2 classes, and '\(job.data.targets)' has \(classes)",
          hint: "use model.kind \"softmax\", or \"mlp\" with the loss \"softmax\"")
      }
      outputs = classes > 2 ? classes : 1
      targetUse = classes > 2 ? .classIndex(classes: classes) : .binary(outputs: 1)
      task = .classification(classes: max(classes, 2))
    }
    model = Model(
      kind: job.kind, sizes: [dataset.columns] + job.hidden + [outputs], activation: job.activation, loss: loss)
  }

  private static func impliedLoss(_ targets: TargetKind) throws -> Loss {
    guard let classes = targets.classes else { return .squared }
    return classes > 2 ? .softmax : .logistic
  }

  private static func misfit(_ message: String, hint: String? = nil) -> Failure {
    Failure(.invalidData, message, hint: hint)
  }
}
