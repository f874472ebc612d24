import JSON
import Model
import Online
import Optimization
import Training

/// A learner as the job describes it, before the number of its inputs is known.
struct LearnerTemplate: Sendable {
  let kind: LearnerKind
  /// The names of the classes; nil for a regression.
  let classes: [String]?
  private let hidden: [Int]
  private let activation: Activation
  private let loss: Loss?
  private let penalty: Penalty
  private let optimizer: OptimizerSettings
  private let schedule: Schedule
  /// Nil as the kind wants it.
  private let standardizes: Bool?
  private let imputes: Bool
  /// Nil as the optimizer has it.
  private let biasLearningRate: Double?
  private let seed: UInt64
  private let forgetting: Double
  private let ridge: Double
  private let aggressiveness: Double
  private let variant: PassiveAggressiveVariant

  init(_ values: JobValues) {
    kind = values.choice("model.kind") ?? .linear
    loss = values.choice("loss")
    classes = values.classNames
    hidden = values.integers("model.hidden")
    activation = values.choice("model.activation") ?? .relu
    penalty = Penalty(l1: values.number("penalty.l1") ?? 0, l2: values.number("penalty.l2") ?? 0)
    optimizer = TrainingJob.optimizer(values)
    schedule = TrainingJob.schedule(values)
    standardizes = values["model.standardize"].asBool
    imputes = values.text("stream.incomplete") == "impute"
    biasLearningRate = values.number("model.bias_learning_rate")
    seed = UInt64(values.integer("model.seed") ?? 0)
    forgetting = values.number("model.forgetting") ?? 1
    ridge = values.number("model.ridge") ?? 0
    aggressiveness = values.number("model.aggressiveness") ?? 1
    variant = values.choice("model.variant") ?? .pa1
  }

  /// "logistic", or "mlp (64, 32)".
  var name: String {
    hidden.isEmpty ? kind.rawValue : "\(kind.rawValue) (\(hidden.map(String.init).joined(separator: ", ")))"
  }

  /// The settings of a learner for rows of so many features.
  func settings(inputs: Int) -> LearnerSettings {
    // Two classes need one output, but for a softmax.
    let outputs = classes.map { $0.count == 2 && !hasOutputPerClass ? 1 : $0.count } ?? 1
    var settings = LearnerSettings(kind, inputs: inputs, outputs: outputs)
    settings.hidden = hidden
    settings.activation = activation
    settings.loss = loss ?? (kind == .mlp ? (classes == nil ? .squared : .softmax) : nil)
    settings.optimizer = optimizer
    settings.penalty = penalty
    settings.biasLearningRate = biasLearningRate
    settings.seed = seed
    settings.schedule = schedule
    if let standardizes { settings.standardizes = standardizes }
    settings.imputes = imputes
    settings.forgetting = forgetting
    settings.ridge = ridge
    settings.aggressiveness = aggressiveness
    settings.variant = variant
    return settings
  }

  private var hasOutputPerClass: Bool { kind == .softmax || kind == .mlp && (loss ?? .softmax) == .softmax }
}

extension JobValues {
  /// The names of the classes; nil for a regression.
  var classNames: [String]? {
    let names = texts("stream.classes")
    guard let kind: LearnerKind = choice("model.kind") else { return nil }
    let loss: Loss? = choice("loss")
    switch kind {
    case .linear, .rls: return nil
    case .logistic, .svm, .passiveAggressive: return names.isEmpty ? ["0", "1"] : names
    case .softmax: return names
    case .mlp:
      guard loss?.isOfClasses ?? !names.isEmpty else { return nil }
      return names.isEmpty ? ["0", "1"] : names
    }
  }

  /// Finds settings of a learner that do not fit it.
  mutating func checkLearner() {
    guard let kind: LearnerKind = choice("model.kind") else { return }
    let classes = texts("stream.classes")
    if kind == .mlp, integers("model.hidden").isEmpty {
      reject("model.hidden", "must name the units of at least one hidden layer for kind \"mlp\", as [64, 32]")
    }
    if kind != .mlp, !integers("model.hidden").isEmpty {
      reject("model.hidden", "does not fit kind \"\(kind.rawValue)\", which has one layer; use kind \"mlp\"")
    }
    if kind == .softmax, classes.count < 2 { reject("stream.classes", "must name at least two classes for a softmax") }
    if kind == .logistic, !classes.isEmpty, classes.count != 2 {
      reject("stream.classes", "must name two classes for kind \"logistic\"; use kind \"softmax\"")
    }
    if classes.count == 1 { reject("stream.classes", "must name more classes than one") }
    if !classes.isEmpty, classNames == nil {
      reject("stream.classes", "does not fit a regression")
    }
    checkNewClasses(kind)
    let ofKinds: [(key: String, kind: LearnerKind)] = [
      ("model.forgetting", .rls), ("model.ridge", .rls), ("model.aggressiveness", .passiveAggressive),
      ("model.variant", .passiveAggressive),
    ]
    for (key, owner) in ofKinds where isGiven(key) && kind != owner {
      reject(key, "is a setting of kind \"\(owner.rawValue)\"")
    }
    if kind == .rls || kind == .passiveAggressive {
      for key in ["optimizer.kind", "optimizer.learning_rate", "penalty.l1", "penalty.l2", "loss"] where isGiven(key) {
        reject(key, "does not fit kind \"\(kind.rawValue)\", which has no optimizer")
      }
    }
    let standardize = self["model.standardize"]
    if standardize != .null, standardize.asBool == nil { reject("model.standardize", "must be true, false or null") }
    if let schedule: ScheduleKind = choice("schedule.kind"), schedule == .cosine || schedule == .plateau {
      reject("schedule.kind", "\"\(schedule.rawValue)\" needs an end, or validations, which a stream has not")
    }
    checkLoss(kind)
  }

  /// Finds a wish for classes that the model cannot take.
  private mutating func checkNewClasses(_ kind: LearnerKind) {
    let policy: NewClassPolicy = choice("stream.new_classes") ?? .malformed
    guard let names = classNames else {
      if policy != .malformed { reject("stream.new_classes", "does not fit a regression") }
      return
    }
    guard policy == .add else {
      if isGiven("stream.most_classes") { reject("stream.most_classes", "needs 'stream.new_classes' \"add\"") }
      return
    }
    if names.count > integer("stream.most_classes") ?? .max {
      reject("stream.most_classes", "is below the \(names.count) classes that there are")
    }
    let loss: Loss? = choice("loss")
    let isPerClass = kind == .softmax || kind == .mlp && (loss ?? .softmax) == .softmax
    guard !isPerClass, names.count == 2 || loss == .logistic || kind == .logistic else { return }
    reject(
      "stream.new_classes",
      "cannot be \"add\" where one score tells two classes apart; use kind \"softmax\", or \"mlp\" with the loss \"softmax\""
    )
  }

  private mutating func checkLoss(_ kind: LearnerKind) {
    guard let loss: Loss = choice("loss"), let model = ModelKind(rawValue: kind.rawValue), !model.losses.contains(loss)
    else { return }
    let allowed = model.losses.map { "\"\($0.rawValue)\"" }.joined(separator: " | ")
    reject("loss", "must be \(allowed) for kind \"\(kind.rawValue)\", not \"\(loss.rawValue)\"")
  }
}
