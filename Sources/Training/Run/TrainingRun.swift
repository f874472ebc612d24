public import Data
import Failures
import Files
import Kernels
public import MPI
import Model
import Optimization
import Parallel
import Text

/// A training from its job to its model file: what `apus train` does. All methods are collective.
public final class TrainingRun {
  public let job: TrainingJob
  public let design: ModelDesign
  public let plan: TrainingPlan
  public let dataset: ShardedDataset
  private let world: Communicator
  private let source: ResolvedSource
  private let validation: OpenedDataset?
  /// Where a resumed training goes on: the folder of its checkpoint and the state in it.
  private let resumed: (folder: String, state: TrainingState)?
  private let store: CheckpointStore
  private let course: TrainingCourse

  /// How a run ended.
  public struct Result: Sendable {
    public let outcome: TrainingOutcome
    public let state: TrainingState
    public let lastLoss: Double?
    public let validation: Metrics?
    /// Training time of this start, with validation and saving left out.
    public let seconds: Double
    public let modelPath: String
  }

  /// The step that a resumed training goes on after; nil for one that begins.
  public var resumedStep: Int? { resumed?.state.step }

  /// Checks everything that can be checked before training: files, shapes, settings, and what a resumed run has to go on with.
  /// - Parameter resume: go on from the newest checkpoint, if there is one.
  public init(_ given: TrainingJob, resume: Bool, world: borrowing Communicator) throws {
    self.world = try world.duplicate()
    let opened = try OpenedDataset(given.data.source, scanLabels: given.needsLabels, world: world)
    guard opened.dataset.rows > 0 else {
      throw Failure(.invalidData, "the data set '\(given.data.path)' has no rows", isShared: true)
    }
    store = CheckpointStore(directory: RunDirectory.checkpoints(of: given.output), keep: given.checkpoint.keep)
    resumed = resume ? try Checkpointer.newest(store, world: world) { Self.warn($0) } : nil
    let ranks = world.size
    let resumed = resumed
    (course, job, design) = try Agreement.alike {
      var job = given
      let course = try Self.course(job, opened.dataset, ranks: ranks, resumed: resumed?.state.course)
      job.virtualRanks = course.virtualRanks
      let design = try ModelDesign(job: job, dataset: opened.dataset)
      job.loss = design.model.loss
      return (course, job, design)
    }
    plan = TrainingPlan(rows: opened.dataset.rows, job: job)
    dataset = opened.dataset
    source = opened.source
    validation = try job.data.validationSource.map { try OpenedDataset($0, scanLabels: false, world: world) }
    try Agreement.alike { try self.checkTogether() }
    try checkInitialModel()
    let ranksHere = try world.splitByNode().size
    let plan = memory
    try Agreement.everywhere(world) {
      try plan.check(ranks: ranksHere, physicalBytes: Machine.physicalMemoryBytes, host: Machine.hostName)
    }
  }

  /// What says which rows form which step: as in the run that goes on, or as the job, the data and the ranks have it.
  private static func course(
    _ job: TrainingJob, _ dataset: ShardedDataset, ranks: Int, resumed: TrainingCourse?
  ) throws -> TrainingCourse {
    guard job.virtualRanks <= VirtualRanks.most else {
      throw Failure(
        .usage,
        "parallel.virtual_ranks is \(grouped(job.virtualRanks)); at most \(grouped(VirtualRanks.most)) are possible",
        hint: "a multiple of the ranks that you mean to use is enough, as 12 or 64")
    }
    let batchRows = job.batchRows(of: dataset.rows)
    let implied = VirtualRanks.count(ranks: ranks, shards: dataset.shards.count, batchRows: batchRows)
    let wanted = job.virtualRanks > 0 ? job.virtualRanks : resumed?.virtualRanks ?? implied
    let course = TrainingCourse(
      rows: dataset.rows, virtualRanks: wanted, batchRows: batchRows, seed: job.seed, shuffle: job.shuffle)
    guard let resumed, resumed != course else { return course }
    guard resumed.rows == course.rows else {
      throw Failure(
        .invalidData,
        "the run in '\(job.output)' was trained on \(resumed.rows) rows, and '\(job.data.path)' has \(course.rows)",
        hint: "a run is resumed on the data it began with; begin a new one with train.initial_model")
    }
    let differences = [
      ("parallel.virtual_ranks", "\(resumed.virtualRanks)", "\(course.virtualRanks)"),
      ("train.batch_size", "\(resumed.batchRows)", "\(course.batchRows)"),
      ("train.seed", "\(resumed.seed)", "\(course.seed)"),
      ("train.shuffle", "\(resumed.shuffle)", "\(course.shuffle)"),
    ].filter { $0.1 != $0.2 }.map { "'\($0.0)' was \($0.1) and is \($0.2)" }
    throw Failure(
      .usage,
      "the run in '\(job.output)' cannot go on in another order of its rows: \(differences.joined(separator: ", "))",
      hint: "resume it as it began, or begin a new run with train.initial_model")
  }

  private func checkTogether() throws {
    if let validation {
      guard validation.dataset.rows > 0 else {
        throw Failure(.invalidData, "the validation split '\(job.data.validationSplit ?? "")' has no rows")
      }
      guard validation.dataset.columns == dataset.columns else {
        throw Failure(
          .invalidData,
          "the validation split has \(validation.dataset.columns) columns, the training split \(dataset.columns)")
      }
      try validation.dataset.check(design.targetUse)
    }
    _ = try transform
  }

  /// What happens to the features between the file and the model.
  private var transform: FeatureTransform {
    get throws { try source.transform(scale: Float(job.data.scale)) }
  }

  private var description: ModelDescription {
    ModelDescription(
      model: design.model, dataset: dataset, normalization: source.manifest?.normalization, scale: job.data.scale,
      step: 0,
      job: job)
  }

  /// What each rank will hold, for `--dry-run`.
  public var memory: MemoryPlan {
    MemoryPlan(
      model: design.model, optimizer: job.optimizer.kind, order: order, batchRows: plan.batchRows,
      columns: dataset.columns,
      ranks: world.size, mode: job.reduction, microBatches: MicroBatches(count: job.microBatches),
      keepsBest: job.patience > 0)
  }

  private var order: SampleOrder {
    dataset.order(virtualRanks: job.virtualRanks, seed: job.seed, shuffle: job.shuffle)
  }

  /// Trains, and writes what a run leaves.
  /// - Parameter willBegin: called when nothing is left that could keep the training from its first step.
  public func train(policy: RunDirectory.Policy, willBegin: () -> Void = {}) throws -> Result {
    var directory: RunDirectory?
    _ = try Agreement.fromRoot(world) {
      directory = try RunDirectory(job.output, policy: policy)
      return []
    }
    defer { directory?.unlock() }
    let strategy = try makeStrategy()
    let checkpointer = try Checkpointer(
      store: store, everySeconds: job.checkpoint.everySeconds, description: description, held: held(by: strategy),
      world: world)
    let trainer = Trainer(
      job: job, plan: plan, strategy: strategy, state: resumed?.state ?? TrainingState(course),
      validator: try makeValidator(), checkpointer: checkpointer)
    if let resumed {
      try checkpointer.restore(trainer, from: resumed.folder)
    } else {
      try initialize(strategy)
    }
    // Only now, with everything read that can turn out to be wrong, is a run that may be there replaced.
    trainer.reporter = try makeReporter(directory, strategy)
    Termination.install()
    willBegin()
    let outcome = try train(trainer)
    let modelPath = FileSystem.join(job.output, ModelFile.name)
    if outcome != .stopped { try writeModel(strategy, trainer.state, to: modelPath) }
    return Result(
      outcome: outcome, state: trainer.state, lastLoss: trainer.lastLoss, validation: trainer.lastValidation,
      seconds: trainer.reporter?.seconds ?? 0, modelPath: modelPath)
  }

  /// A rank that cannot do its part of a step tells the others why, so that all end alike.
  private func train(_ trainer: Trainer<DataParallel>) throws -> TrainingOutcome {
    do {
      return try trainer.train()
    } catch let failure as StepFailure {
      try Agreement.everywhere(world) { if let own = failure.own { throw own } }
      preconditionFailure("a step failed, and none of \(world.size) ranks says why")
    }
  }

  private func makeStrategy() throws -> DataParallel {
    let ranks = VirtualRanks(count: job.virtualRanks, ranks: world.size)
    let order = order
    let reader = try BatchReader(
      dataset: dataset, order: order, virtualRanks: ranks.run(by: world.rank), targetUse: design.targetUse,
      transform: transform)
    return try DataParallel(
      model: design.model, order: order, reader: reader, world: world, mode: job.reduction, batchRows: plan.batchRows,
      microBatches: MicroBatches(count: job.microBatches))
  }

  private func makeReporter(_ directory: RunDirectory?, _ strategy: DataParallel) throws -> RunReporter? {
    var reporter: RunReporter?
    _ = try Agreement.fromRoot(world) {
      guard let directory else { return [] }
      try directory.begin(job: job.json)
      let log = try MetricsLog(path: directory.metricsPath, keepingThrough: resumed?.state.step)
      reporter = RunReporter(log: log, plan: plan, logEvery: job.logEvery) {
        (strategy.secondsReading, strategy.secondsReducing)
      }
      return []
    }
    return reporter
  }

  private func makeValidator() throws -> Validator? {
    guard let validation else { return nil }
    let evaluator = try Evaluator(
      model: design.model, dataset: validation.dataset, transform: transform,
      virtualRanks: VirtualRanks(count: job.virtualRanks, ranks: world.size), rank: world.rank)
    return try Validator(evaluator, world: world)
  }

  /// Throws where the model file to start from is none, or is of another shape. Its values are read when training begins.
  private func checkInitialModel() throws {
    guard let path = job.initialModel, resumed == nil else { return }
    _ = try Agreement.fromRoot(world) {
      try ModelFile.check(try SafetensorsFile.open(try ModelFile.locate(path)), design.model.layout)
      return []
    }
  }

  /// The first parameters: from the seed, or from a model file.
  private func initialize(_ strategy: DataParallel) throws {
    guard let path = job.initialModel else {
      strategy.replaceParameters { design.model.initialize(&$0, seed: job.seed) }
      return
    }
    let layout = design.model.layout
    let held = held(by: strategy)
    try strategy.replaceParameters { parameters in
      try ModelFile.read(
        try ModelFile.locate(path), layout, held.parameters, into: &parameters, where: world.rank == 0, world: world)
      try world.broadcast(&parameters, root: 0)
    }
  }

  private func held(by strategy: DataParallel) -> HeldRuns {
    let layout = design.model.layout
    return HeldRuns(
      layout: layout, owned: 0..<layout.count, data: (world.rank, world.size), isFirstOfSplit: true, whole: layout)
  }

  private func writeModel(_ strategy: DataParallel, _ state: TrainingState, to path: String) throws {
    var description = description
    description.step = state.step
    let held = held(by: strategy)
    try strategy.withParameters {
      try ModelFile.write($0, held.writtenParameters, description, to: path, world: world)
    }
  }

  /// Says what went wrong without ending the run. Called on rank 0.
  private static func warn(_ message: String) {
    StandardStream.error.write("apus: warning: \(message)\n")
  }
}

extension TrainingJob {
  /// Whether class labels are wanted, so that those of a data set without dataset.json must be looked through.
  var needsLabels: Bool { loss?.isOfClasses ?? true }
}

extension TrainingJob.Source {
  var source: DataSource { DataSource(path: path, features: features, targets: targets, split: split) }

  var validationSource: DataSource? {
    validationSplit.map { DataSource(path: path, features: features, targets: targets, split: $0) }
  }
}
