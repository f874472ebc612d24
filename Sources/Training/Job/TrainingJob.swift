public import Data
import JSON
public import Model
public import Optimization
public import Parallel
import Settings
public import Watch

/// What is to be trained, on what, and how: a job file with every default filled in.
public struct TrainingJob: Sendable {
  /// How many rows form the batch of a step, on all ranks together.
  public enum BatchSize: Equatable, Sendable {
    case rows(Int)
    /// Batch gradient descent: every step sees the whole data set.
    case full
  }

  /// When the training ends.
  public enum Length: Equatable, Sendable {
    case epochs(Int)
    case steps(Int)
  }

  public struct Source: Sendable {
    public var path: String
    public var features: String
    public var targets: String
    /// Nil takes "train" where the data set has splits.
    public var split: String?
    public var validationSplit: String?
    public var scale: Double
    public var nonFinite: NonFinite
    /// Whether the files may lead to others.
    public var isTrusted: Bool
  }

  /// What happens to a step whose loss or gradient is not finite.
  public enum NonFiniteStep: String, CaseIterable, Sendable {
    case stop
    case skip = "skip_step"
  }

  public struct Checkpointing: Sendable {
    public var everySteps: Int
    public var everySeconds: Double
    /// Seconds; takes the place of `everySeconds` where it is given.
    public var meanTimeBetweenFailures: Double?
    public var keep: Int

    /// Whether checkpoints are written as the training goes on.
    public var isEnabled: Bool { everySteps > 0 || everySeconds > 0 || meanTimeBetweenFailures != nil }
  }

  public var data: Source
  public var kind: ModelKind
  public var hidden: [Int]
  public var activation: Activation
  /// Nil for a model of its own.
  public var from: Continuation?
  /// Nil where no rows are kept.
  public var replay: ReplayRequest?
  /// Nil where the targets decide (an mlp without a loss).
  public var loss: Loss?
  public var penalty: Penalty
  public var optimizer: OptimizerSettings
  public var schedule: Schedule
  public var length: Length
  public var batchSize: BatchSize
  public var shuffle: Bool
  public var seed: UInt64
  /// 0 does not clip.
  public var clipNorm: Double
  public var nonFiniteStep: NonFiniteStep
  /// 0 writes about ten lines a second.
  public var logEvery: Int
  public var initialModel: String?
  /// 0 never stops early.
  public var patience: Int
  public var split: ModelSplit
  public var microBatches: Int
  /// 0 until the first start decides.
  public var virtualRanks: Int
  /// Bytes of gradient that a rank sends to another host at a time while it computes; 0 where it first computes.
  public var bucketBytes: Int
  /// What sums of gradients are between hosts.
  public var wire: Wire.Precision
  public var reduction: GradientReduction
  public var checkpoint: Checkpointing
  public var deadlines: Deadlines
  /// Seconds between two comparisons of the ranks; 0 compares none.
  public var stragglerSeconds: Double
  public var output: String

  /// Reads a job file.
  /// - Parameters:
  ///   - bytes: the file, JSON5.
  ///   - source: its name, for messages.
  ///   - overrides: what `--set` says, in order.
  /// - Throws: `InvalidSettings` with everything that is wrong.
  public init(parsing bytes: [UInt8], source: String, overrides: [JobOverride] = []) throws {
    var values = JobValues(try SettingsFile.parse(bytes, source: source), overrides: overrides)
    values.checkTogether()
    guard values.problems.isEmpty else { throw InvalidSettings(source: source, problems: values.problems) }
    self.init(values)
  }

  /// The job of checked values.
  private init(_ values: JobValues) {
    data = Source(
      path: values.text("data.path") ?? "", features: values.text("data.features") ?? "",
      targets: values.text("data.targets") ?? "", split: values.text("data.split"),
      validationSplit: values.text("data.validation_split"), scale: values.number("data.scale") ?? 1,
      nonFinite: Self.nonFinite(values), isTrusted: values.boolean("data.trusted"))
    kind = values.choice("model.kind") ?? .linear
    hidden = values.integers("model.hidden")
    activation = values.choice("model.activation") ?? .relu
    from = Self.continuation(values)
    replay = Self.replay(values)
    loss = values.choice("loss") ?? kind.impliedLoss
    penalty = Penalty(l1: values.number("penalty.l1") ?? 0, l2: values.number("penalty.l2") ?? 0)
    optimizer = Self.optimizer(values)
    schedule = Self.schedule(values)
    length =
      values.integer("train.steps").map { .steps($0) } ?? .epochs(values.integer("train.epochs") ?? 20)
    batchSize = values.integer("train.batch_size").map { .rows($0) } ?? .full
    shuffle = values.boolean("train.shuffle")
    seed = UInt64(values.integer("train.seed") ?? 0)
    clipNorm = values.number("train.clip_norm") ?? 0
    nonFiniteStep = values.choice("train.non_finite") ?? .stop
    logEvery = values.integer("train.log_every") ?? 0
    initialModel = values.text("train.initial_model")
    patience = values.integer("train.early_stopping.patience") ?? 0
    split = Self.split(values)
    microBatches = values.integer("parallel.micro_batches") ?? 1
    virtualRanks = values.integer("parallel.virtual_ranks") ?? 0
    bucketBytes = values.integer("parallel.bucket_bytes") ?? 0
    wire = values.choice("parallel.wire") ?? .float32
    reduction = values.choice("parallel.reduction") ?? .ordered
    checkpoint = Checkpointing(
      everySteps: values.integer("checkpoint.every_steps") ?? 0,
      everySeconds: values.number("checkpoint.every_seconds") ?? 0,
      meanTimeBetweenFailures: values.number("checkpoint.mean_time_between_failures"),
      keep: values.integer("checkpoint.keep") ?? 1)
    deadlines = Self.deadlines(values)
    stragglerSeconds = values.number("watchdog.stragglers") ?? 0
    output = values.text("output") ?? ""
  }

  private static func continuation(_ values: JobValues) -> Continuation? {
    values.text("from.model").map { model in
      Continuation(
        model: model, takesOptimizer: values.boolean("from.optimizer"),
        replayTimes: values.integer("from.replay_times"),
        oldData: values.text("from.old_data"), oldSplit: values.text("from.old_split"),
        tolerance: values.number("from.tolerance"), elastic: values.number("from.elastic") ?? 0)
    }
  }

  package static func replay(_ values: JobValues) -> ReplayRequest? {
    guard let rows = values.integer("replay.rows"), rows > 0 else { return nil }
    return ReplayRequest(rows: rows, kind: values.choice("replay.kind") ?? .uniform)
  }

  private static func split(_ values: JobValues) -> ModelSplit {
    let stages = values.integers("parallel.stages")
    // Who lists the stages need not count them.
    let isCounted = stages.isEmpty || values.isGiven("parallel.pipeline")
    return ModelSplit(
      pipeline: isCounted ? values.integer("parallel.pipeline") ?? 1 : stages.count,
      tensor: values.integer("parallel.tensor") ?? 1, stages: stages,
      shardsOptimizer: values.boolean("parallel.shard_optimizer"),
      sharesMemory: values.boolean("parallel.shared_memory"))
  }

  private static func nonFinite(_ values: JobValues) -> NonFinite {
    let replacement = values.number("data.replacement").map { Float($0) }
    return values.text("data.non_finite").flatMap { NonFinite(named: $0, replacement: replacement) } ?? .fail
  }

  package static func deadlines(_ values: JobValues) -> Deadlines {
    var deadlines = Deadlines()
    for phase in Phase.allCases { values.number("watchdog.\(phase.name)").map { deadlines[phase] = .seconds($0) } }
    return deadlines
  }

  package static func schedule(_ values: JobValues) -> Schedule {
    var schedule = Schedule(values.choice("schedule.kind") ?? .constant)
    values.integer("schedule.warmup_steps").map { schedule.warmupSteps = $0 }
    values.integer("schedule.every_steps").map { schedule.everySteps = $0 }
    values.number("schedule.factor").map { schedule.factor = $0 }
    values.number("schedule.decay").map { schedule.decay = $0 }
    values.number("schedule.minimum").map { schedule.minimum = $0 }
    values.integer("schedule.patience").map { schedule.patience = $0 }
    return schedule
  }

  package static func optimizer(_ values: JobValues) -> OptimizerSettings {
    var settings = OptimizerSettings(values.choice("optimizer.kind") ?? .adam)
    values.number("optimizer.learning_rate").map { settings.learningRate = $0 }
    values.number("optimizer.momentum").map { settings.momentum = $0 }
    values.number("optimizer.decay").map { settings.decay = $0 }
    values.number("optimizer.beta1").map { settings.beta1 = $0 }
    values.number("optimizer.beta2").map { settings.beta2 = $0 }
    values.number("optimizer.epsilon").map { settings.epsilon = $0 }
    values.number("optimizer.weight_decay").map { settings.weightDecay = $0 }
    values.number("optimizer.beta").map { settings.beta = $0 }
    return settings
  }
}

extension ModelKind {
  /// The loss that the kind stands for; nil for an mlp, where the targets decide.
  var impliedLoss: Loss? { hasHiddenLayers ? nil : losses.first }
}

extension JobValues {
  package func choice<Choice: RawRepresentable<String>>(_ key: String) -> Choice? {
    text(key).flatMap(Choice.init(rawValue:))
  }

  /// Finds values that contradict each other.
  mutating func checkTogether() {
    guard let kind: ModelKind = choice("model.kind") else { return }
    if kind == .mlp, integers("model.hidden").isEmpty {
      reject("model.hidden", "must name the units of at least one hidden layer for kind \"mlp\", as [64, 32]")
    }
    if kind != .mlp, !integers("model.hidden").isEmpty {
      reject("model.hidden", "does not fit kind \"\(kind.rawValue)\", which has one layer; use kind \"mlp\"")
    }
    if let loss: Loss = choice("loss"), !kind.losses.contains(loss) {
      let allowed = kind.losses.map { "\"\($0.rawValue)\"" }.joined(separator: " | ")
      reject("loss", "must be \(allowed) for kind \"\(kind.rawValue)\", not \"\(loss.rawValue)\"")
    }
    if integers("model.hidden").contains(where: { $0 > Int(Int32.max) }) {
      reject("model.hidden", "can hold layers of at most \(Int32.max) units")
    }
    if let scale = number("data.scale"), Float(scale) == 0 || !Float(scale).isFinite {
      reject("data.scale", "must be a 32-bit float other than 0, not \(scale)")
    }
    checkNonFinite()
    checkContinuation(kind)
    // Weights that all parts of a layer hold get their sums over other ranks each, which would be rounded differently.
    if text("parallel.wire") == Wire.Precision.bfloat16.rawValue, (integer("parallel.tensor") ?? 1) > 1 {
      reject("parallel.wire", "can be \"bfloat16\" only where layers are not cut: 'parallel.tensor' must be 1")
    }
    if integer("train.epochs") != nil, integer("train.steps") != nil {
      reject("train.steps", "and 'train.epochs' cannot both be given")
    }
    checkOptimizer()
    checkSchedule()
  }

  private mutating func checkNonFinite() {
    let policy = text("data.non_finite")
    if let value = number("data.replacement") {
      if policy != "replace" { reject("data.replacement", "needs 'data.non_finite' \"replace\"") }
      if !Float(value).isFinite { reject("data.replacement", "must be a 32-bit float, not \(value)") }
    }
  }

  private mutating func checkContinuation(_ kind: ModelKind) {
    if text("from.model") != nil, text("train.initial_model") != nil {
      reject("from.model", "and 'train.initial_model' cannot both be given")
    }
    if let optimizer: OptimizerKind = choice("optimizer.kind"), optimizer == .sgd, boolean("from.optimizer") {
      reject("from.optimizer", "has nothing to take: \"sgd\" remembers nothing")
    }
    if text("from.old_split") != nil, text("from.old_data") == nil { reject("from.old_split", "needs 'from.old_data'") }
    if let elastic = number("from.elastic"), elastic > 0 {
      if kind != .mlp { reject("from.elastic", "is for kind \"mlp\", not \"\(kind.rawValue)\"") }
      let ranks = (integer("parallel.pipeline") ?? 1) * (integer("parallel.tensor") ?? 1)
      if ranks > 1 || !integers("parallel.stages").isEmpty {
        reject("from.elastic", "is possible only where every rank holds the whole model")
      }
    }
    if text("replay.kind") == ReplayRequest.Kind.balanced.rawValue,
      kind == .linear || (choice("loss") as Loss?).map({ !$0.isOfClasses }) ?? false
    {
      reject("replay.kind", "can be \"class\" only where the targets are classes")
    }
  }

  package mutating func checkOptimizer() {
    guard let optimizer: OptimizerKind = choice("optimizer.kind") else { return }
    let used = optimizer.keys
    for key in JobKey.all where key.path.hasPrefix("optimizer.") && key.path != "optimizer.kind" {
      let name = String(key.path.dropFirst("optimizer.".count))
      if isGiven(key.path), self[key.path] != .null, !used.contains(name) {
        reject(key.path, "is no setting of \"\(optimizer.rawValue)\", which has \(used.joined(separator: ", "))")
      }
    }
  }

  private mutating func checkSchedule() {
    if let schedule: ScheduleKind = choice("schedule.kind"), schedule == .plateau,
      self["data.validation_split"] == .null
    {
      reject("schedule.kind", "\"plateau\" needs 'data.validation_split'")
    }
    if let patience = integer("train.early_stopping.patience"), patience > 0, self["data.validation_split"] == .null {
      reject("train.early_stopping.patience", "needs 'data.validation_split'")
    }
  }
}

extension OptimizerKind {
  /// The keys of a job file that the rule uses.
  public var keys: [String] {
    switch self {
    case .sgd: ["learning_rate"]
    case .momentum, .nesterov: ["learning_rate", "momentum"]
    case .adagrad: ["learning_rate", "epsilon"]
    case .rmsprop: ["learning_rate", "decay", "epsilon"]
    case .adam: ["learning_rate", "beta1", "beta2", "epsilon"]
    case .adamw: ["learning_rate", "beta1", "beta2", "epsilon", "weight_decay"]
    case .ftrl: ["learning_rate", "beta"]
    }
  }
}
