public import Data
import Failures
import Files
import Kernels
public import MPI
import Model
import Optimization
public import Parallel
import Text
public import Watch

/// A training from its job to its model file: what `apus train` does. All methods are collective.
public final class TrainingRun {
  public let job: TrainingJob
  public let design: ModelDesign
  public let plan: TrainingPlan
  public let dataset: ShardedDataset
  /// The layers of each stage of the pipeline.
  public let stages: [Range<Int>]
  let grid: ProcessGrid
  /// The node of each rank of the grid where the ranks of a node share memory; empty where they do not.
  public private(set) var sharingNodes: [Int] = []
  /// What happens to the features between the file and the model.
  private let transform: FeatureTransform
  private let validation: ShardedDataset?
  /// The saved model that the training goes on from, grown for its data.
  let continued: ContinuedModel?
  /// Where a resumed training goes on: the folder of its checkpoint and the state in it.
  private let resumed: (folder: String, state: TrainingState)?
  /// Nil for a training that leaves the model which it may go on from where it is.
  public let update: ModelUpdate?
  /// What tells this training from others; nil where it updates no model.
  let record: [UInt8]?
  /// Whether the model has been updated by this very training before, and nothing is left to do.
  public let isDone: Bool
  private let store: CheckpointStore
  private let course: TrainingCourse

  /// The directory in which the training writes.
  var folder: String { update?.folder ?? job.output }

  /// The grid of the ranks.
  public var shape: GridShape { grid.shape }
  /// The number in the grid of each rank of the world.
  public var gridIndices: [Int] { grid.indices }

  /// How a run ended.
  public struct Result: Sendable {
    public let outcome: TrainingOutcome
    public let state: TrainingState
    public let lastLoss: Double?
    public let validation: Metrics?
    /// Training time of this start, with validation and saving left out.
    public let seconds: Double
    public let modelPath: String
    /// The model before and after, for a training that goes on from a saved one and has come to its end.
    public let comparison: ModelComparison?
  }

  /// The step that a resumed training goes on after; nil for one that begins.
  public var resumedStep: Int? { resumed?.state.step }

  /// Checks everything that can be checked before training: files, shapes, settings, and what a resumed run has to go on with.
  /// - Parameter resume: go on from the newest checkpoint, if there is one.
  public init(_ given: TrainingJob, resume: Bool, world: borrowing Communicator) throws {
    let ranks = world.size
    let shape = try Agreement.alike { try given.split.shape(ranks: ranks) }
    let opened = try OpenedDataset(given.data.source, scanLabels: given.needsLabels, world: world)
    guard opened.dataset.rows > 0 else {
      throw Failure(.invalidData, "the data set '\(given.data.path)' has no rows", isShared: true)
    }
    let update = try ModelUpdate.begin(given, world: world)
    self.update = update
    let folder = update?.folder ?? given.output
    store = CheckpointStore(directory: RunDirectory.checkpoints(of: folder), keep: given.checkpoint.keep)
    resumed = resume ? try Checkpointer.newest(store, world: world) { Self.warn($0) } : nil
    let resumed = resumed
    let found = try update?.find(given, files: opened.source.paths, world: world)
    record = found?.record
    isDone = resume && resumed == nil && found?.isDone ?? false
    let validating = try given.data.validationSource.map { try OpenedDataset($0, scanLabels: false, world: world) }
    let continued = try ContinuedModel(given, data: opened, validation: validating, world: world)
    self.continued = continued
    let dataset = continued?.rows.training ?? opened.dataset
    self.dataset = dataset
    validation = continued.map(\.rows.validation) ?? validating?.dataset
    transform = try Agreement.alike {
      try continued?.transform ?? opened.source.transform(scale: Float(given.data.scale))
    }
    (course, job, design, stages) = try Agreement.alike {
      var job = given
      let course = try Self.course(job, dataset, ranks: shape.data, resumed: resumed?.state.course)
      job.virtualRanks = course.virtualRanks
      let design =
        try continued.map { try ModelDesign($0.grown.model, dataset: dataset) }
        ?? ModelDesign(job: job, dataset: dataset)
      job.loss = design.model.loss
      return (course, job, design, try job.split.stages(of: design.model))
    }
    grid = try ProcessGrid(shape, world: world)
    plan = TrainingPlan(rows: dataset.rows, job: job)
    try Agreement.alike { try self.checkTogether() }
    try checkInitialModel()
    sharingNodes = try findSharingNodes(world: world)
    try checkMemory(world: world)
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
      guard validation.rows > 0 else {
        throw Failure(.invalidData, "the validation split '\(job.data.validationSplit ?? "")' has no rows")
      }
      guard validation.columns == dataset.columns else {
        throw Failure(
          .invalidData,
          "the validation split has \(validation.columns) columns, the training split \(dataset.columns)")
      }
      try validation.check(design.targetUse)
    }
    if transform.normalization == nil, job.data.nonFinite == .replace(nil) {
      throw Failure(
        .invalidJob, "'\(job.data.path)' has no means of its columns to replace numbers that are not finite with",
        hint: "give data.replacement, or standardize the data with apus prepare")
    }
  }

  var description: ModelDescription {
    ModelDescription(
      model: design.model, dataset: dataset,
      normalization: continued?.grown.normalization ?? dataset.manifest?.normalization,
      scale: job.data.scale, step: 0, job: job)
  }

  var virtualRanks: VirtualRanks { VirtualRanks(count: job.virtualRanks, ranks: grid.shape.data) }

  var order: SampleOrder {
    dataset.order(virtualRanks: job.virtualRanks, seed: job.seed, shuffle: job.shuffle)
  }

  /// Trains, and writes what a run leaves.
  /// - Parameters:
  ///   - watchdog: told where the run is, so that the ranks know of each other there.
  ///   - willBegin: called when nothing is left that could keep the training from its first step.
  public func train(
    policy: RunDirectory.Policy, watchdog: Watchdog? = nil, willBegin: () -> Void = {}
  ) throws -> Result {
    var directory: RunDirectory?
    _ = try Agreement.fromRoot(grid.world) {
      directory = try RunDirectory(folder, policy: policy, owner: update == nil ? nil : job.output)
      try watchdog?.share(in: job.output)
      return []
    }
    if grid.world.rank > 0 { try watchdog?.share(in: job.output) }
    defer { directory?.unlock() }
    return job.split.pipeline == 1 && job.split.tensor == 1
      ? try train(with: try makeDataParallel(), in: directory, willBegin)
      : try train(with: try makeModelParallel(), in: directory, willBegin)
  }

  private func train<Strategy: ParallelStrategy>(
    with strategy: Strategy, in directory: RunDirectory?, _ willBegin: () -> Void
  ) throws -> Result {
    let files = ModelFiles(strategy, whole: design.model.layout, grid: grid)
    let checkpointer = Checkpointer(
      store: store, job: job, description: description, files: files, grid: grid,
      hasProcessorToSpare: processors.allowed > processors.ranks)
    let trainer = Trainer(
      job: job, plan: plan, strategy: strategy, state: resumed?.state ?? TrainingState(course),
      validator: try makeValidator(strategy), checkpointer: checkpointer, survey: try makeSurvey(strategy),
      elastic: try makeElastic())
    let judge = try makeJudge(strategy)
    // The comparison begins with the saved model also where the training is resumed.
    if resumed == nil || judge != nil { try initialize(strategy, files) }
    let before = try judge?.judge()
    if let resumed {
      try checkpointer.restore(trainer, from: resumed.folder)
    } else if let continued, let checkpoint = continued.earlier.checkpoint {
      try checkpointer.takeOptimizer(of: checkpoint, continued.earlier.description.model.layout, for: trainer)
    }
    // Only now, with everything read that can turn out to be wrong, is a run that may be there replaced.
    trainer.reporter = try makeReporter(directory, strategy)
    Termination.install()
    willBegin()
    let outcome = try train(trainer, checkpointer)
    var comparison: ModelComparison?
    if outcome != .stopped, let before, let judge { comparison = try compare(before, try judge.judge()) }
    let isAccepted = comparison?.isAccepted ?? true
    let name = isAccepted ? ModelFile.name : ModelFile.refusedName
    if outcome != .stopped {
      if isAccepted {
        try keepSample()
        try prepareUpdate()
      }
      try writeModel(strategy, files, trainer.state, to: FileSystem.join(folder, name))
      if isAccepted { try takePlace() }
    }
    let modelPath = FileSystem.join(isAccepted ? job.output : folder, name)
    return Result(
      outcome: outcome, state: trainer.state, lastLoss: trainer.lastLoss, validation: trainer.lastValidation,
      seconds: trainer.reporter?.seconds ?? 0, modelPath: modelPath, comparison: comparison)
  }

  /// A rank that cannot do its part of a step tells the others why, so that all end alike.
  private func train<Strategy: ParallelStrategy>(
    _ trainer: Trainer<Strategy>, _ checkpointer: Checkpointer
  ) throws -> TrainingOutcome {
    do {
      return try trainer.train()
    } catch let failure as Failure where failure.isShared {
      // What was saved before is as good as if nothing had happened.
      try checkpointer.end()
      throw failure
    } catch let failure as StepFailure {
      try checkpointer.end()
      try Agreement.everywhere(grid.world) { if let own = failure.own { throw own } }
      preconditionFailure("a step failed, and none of \(grid.world.size) ranks says why")
    }
  }

  var leavesRowsOut: Bool { job.data.nonFinite == .skipRow }

  private func makeReader() throws -> BatchReader {
    try BatchReader(
      dataset: dataset, order: order, virtualRanks: virtualRanks.run(by: grid.place.data.index),
      targetUse: design.targetUse, transform: transform,
      parts: grid.place.reads(leavingRowsOut: leavesRowsOut), readingAhead: readingAhead,
      nonFinite: job.data.nonFinite, inPlace: job.split.isWhole && design.model.takesRowsInPlace && !leavesRowsOut)
  }

  /// A thread reads ahead where every rank of the machine has a processor for one.
  private var readingAhead: ReadingAhead {
    let (allowed, ranks) = processors
    return allowed >= 2 * ranks ? .always : .whereBlocked
  }

  /// The processors that this rank may use, and how many ranks use these.
  private var processors: (allowed: Int, ranks: Int) {
    let ranks = grid.nodes.count { $0 == grid.nodes[grid.indices[grid.world.rank]] }
    // A rank that is bound to some of the processors shares them with as many ranks as it would share all.
    let allowed = Machine.allowedProcessors
    return (allowed, max(1, ranks * allowed / max(allowed, Machine.processors)))
  }

  private func makeDataParallel() throws -> DataParallel {
    try DataParallel(
      model: design.model, order: order, reader: makeReader(), world: grid.data, mode: job.reduction,
      batchRows: plan.batchRows, microBatches: microBatches, shardsOptimizer: job.split.shardsOptimizer,
      overlap: overlap, nodes: step.nodeMap(at: grid.place), wire: wire)
  }

  /// Within a host there is nothing to gain: ranks there have no time in which they could compute while a message travels.
  var overlap: Overlap? {
    let hasHostPerRank = shape.ranks > 1 && Set(grid.nodes).count == shape.ranks
    return hasHostPerRank && job.bucketBytes > 0 && job.split.isWhole ? Overlap(sliceBytes: job.bucketBytes) : nil
  }

  /// Within a host nothing is rounded, for nothing has to be sent.
  var wire: Wire {
    Wire(
      Set(grid.nodes).count > 1 ? job.wire : .float32,
      portionBytes: job.bucketBytes > 0 ? job.bucketBytes : Wire.defaultPortionBytes)
  }

  private func makeModelParallel() throws -> ModelParallel {
    try ModelParallel(
      model: design.model, stages: stages, order: order, reader: grid.place.reads.isEmpty ? nil : makeReader(),
      leavesRowsOut: leavesRowsOut, grid: grid, mode: job.reduction, batchRows: plan.batchRows,
      microBatches: microBatches,
      shardsOptimizer: job.split.shardsOptimizer, nodes: step.nodeMap(at: grid.place), wire: wire)
  }

  var microBatches: MicroBatches { MicroBatches(count: job.microBatches) }

  private func makeReporter<Strategy: ParallelStrategy>(
    _ directory: RunDirectory?, _ strategy: Strategy
  ) throws -> RunReporter? {
    var reporter: RunReporter?
    _ = try Agreement.fromRoot(grid.world) {
      guard let directory else { return [] }
      try directory.begin(job: job.json)
      try store.removeUnfinished()
      let log = try MetricsLog(path: directory.metricsPath, keepingThrough: resumed?.state.step)
      reporter = RunReporter(log: log, plan: plan, logEvery: job.logEvery) {
        RunReporter.Spent(
          reading: strategy.secondsReading, awaitingRows: strategy.secondsAwaitingRows,
          reducing: strategy.secondsReducing,
          waiting: strategy.place.shape.modelRanks > 1 ? strategy.secondsWaiting : nil)
      }
      return []
    }
    return reporter
  }

  /// What compares the ranks; nil where there is nobody to compare with, or the job wants none. Collective.
  private func makeSurvey<Strategy: ParallelStrategy>(_ strategy: Strategy) throws -> StragglerSurvey? {
    guard job.stragglerSeconds > 0, grid.shape.data > 1 else { return nil }
    return try StragglerSurvey(
      everySeconds: job.stragglerSeconds, world: grid.world, group: grid.place.modelIndex,
      share: virtualRanks.run(by: grid.place.data.index).count
    ) {
      (reading: strategy.secondsAwaitingRows, others: strategy.secondsReducing + strategy.secondsWaiting)
    }
  }

  /// The most rows of the validation split, or of those that models are compared on, that a copy of the model scores at a time.
  var scoredRows: Int {
    let judged = [validation, continued?.rows.old?.dataset, continued?.rows.new.dataset].compactMap { $0 }
    return judged.map { Evaluator<LocalScorer>.mostRows(of: $0.rows, virtualRanks) }.max() ?? 0
  }

  private func makeValidator<Strategy: ParallelStrategy>(
    _ strategy: Strategy
  ) throws -> Validator<Strategy.RowScorer>? {
    try validation.map { try makeValidator(strategy, of: $0) }
  }

  func makeValidator<Strategy: ParallelStrategy>(
    _ strategy: Strategy, of rows: ShardedDataset
  ) throws -> Validator<Strategy.RowScorer> {
    let evaluator = try Evaluator(
      model: design.model, dataset: rows, transform: transform, virtualRanks: virtualRanks,
      place: strategy.place, nonFinite: job.data.nonFinite
    ) { try strategy.makeScorer(rows: $0) }
    return try Validator(evaluator, world: grid.world)
  }

  /// Throws where the model file to start from is none, or is of another shape. Its values are read when training begins.
  private func checkInitialModel() throws {
    guard let path = job.initialModel, resumed == nil else { return }
    _ = try Agreement.fromRoot(grid.world) {
      try ModelFile.check(try ModelFile.open(try ModelFile.locate(path)), design.model.layout)
      return []
    }
  }

  /// The first parameters: from the seed, or from a model file.
  private func initialize<Strategy: ParallelStrategy>(_ strategy: Strategy, _ files: ModelFiles) throws {
    try strategy.replaceParameters { parameters in
      if let continued {
        try files.readParameters(
          continued.earlier.path, of: continued.earlier.description.model.layout, into: &parameters)
      } else if let path = job.initialModel {
        try files.readParameters(try ModelFile.locate(path), into: &parameters)
      } else {
        stage.initialize(&parameters, seed: job.seed)
      }
    }
  }

  /// The layers that this rank holds, or its part of them.
  private var stage: Stage {
    let place = grid.place
    guard let stage = try? design.model.stage(layers: stages[place.pipeline.index], tensor: place.part) else {
      preconditionFailure("stages that fit have layers that do not")
    }
    return stage
  }

  private func writeModel<Strategy: ParallelStrategy>(
    _ strategy: Strategy, _ files: ModelFiles, _ state: TrainingState, to path: String
  ) throws {
    var description = description
    description.step = state.step
    try strategy.withParameters { try files.writeModel($0, description, to: path) }
  }

  /// Says what went wrong without ending the run. Called on rank 0.
  static func warn(_ message: String) {
    StandardStream.error.write("apus: warning: \(message)\n")
  }
}

extension TrainingJob {
  /// Whether class labels are wanted, so that those of a data set without dataset.json must be looked through.
  public var needsLabels: Bool { loss?.isOfClasses ?? true }
}

extension TrainingJob.Source {
  public var source: DataSource { source(split: split) }

  public var validationSource: DataSource? {
    validationSplit.map { source(split: $0) }
  }

  private func source(split: String?) -> DataSource {
    DataSource(path: path, features: features, targets: targets, split: split, isTrusted: isTrusted)
  }
}
