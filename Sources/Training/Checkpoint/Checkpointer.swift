import Data
import Failures
import Files
import Kernels
public import MPI
import Model
import Optimization
public import Parallel
import Text
import Watch

/// Saves a training as it goes, and brings it back.
///
/// A checkpoint is written beside the steps that follow it: each rank copies what it writes, a thread of its own brings that to the
/// disk, and when the flags of a step say that no rank writes any more, the ranks agree and rank 0 completes it in a thread as well.
/// Only one is under way: the next one waits for it where the job asks for it by steps, and falls due after it by time. One that some
/// rank cannot write is given up by all, with a warning, and the older ones stay.
///
/// Every rank calls the methods that are marked as collective, at the same step.
public final class Checkpointer {
  private static let mostStateBytes = 1 << 20
  /// Seconds for which a checkpoint is written in what time the training leaves, at most.
  private static let mostPatience = 5.0

  private let store: CheckpointStore
  private let contents: CheckpointContents
  private let files: ModelFiles
  private let grid: ProcessGrid
  private let keepsBest: Bool
  /// Whether the checkpoint is completed on this host, which brings all to the disk that the ranks of the host have written.
  private var completesHere: Bool { grid.nodes[grid.indices[grid.world.rank]] == grid.nodes[grid.indices[0]] }
  /// Whether the ranks of this host take all of its processors.
  private let staysHere: Bool
  private let copy: CheckpointCopy
  /// The thread that writes; made for the first checkpoint.
  private var worker: WorkerThread?
  private var schedule: CheckpointSchedule
  private var lastSave = ContinuousClock.now
  private var lastBegun: ContinuousClock.Instant?
  private var underWay: Save?
  /// The step of the newest checkpoint that this start completed or began with.
  private(set) var savedStep: Int?

  /// A checkpoint that is being written.
  private struct Save {
    enum Phase {
      /// Every rank writes its share.
      case writing(Background<[SafetensorsPart]>)
      /// Rank 0 completes it.
      case completing(Background<String>?)
    }

    let write: CheckpointWrite
    let begun: ContinuousClock.Instant
    /// Seconds for which it is written in what time the training leaves.
    let patience: Double
    var phase: Phase

    func hurry() {
      switch phase {
      case .writing(let work): work.hurry()
      case .completing(let work): work?.hurry()
      }
    }
  }

  init(
    store: CheckpointStore, job: TrainingJob, description: ModelDescription, files: ModelFiles, grid: ProcessGrid,
    hasProcessorToSpare: Bool
  ) {
    self.store = store
    self.files = files
    self.grid = grid
    staysHere = !hasProcessorToSpare
    schedule = CheckpointSchedule(job.checkpoint)
    keepsBest = job.patience > 0
    contents = CheckpointContents(description: description, moments: Optimizer.stateNames(job.optimizer.kind))
    copy = CheckpointCopy(files.share, moments: contents.moments.count, keepsBest: keepsBest)
  }

  /// The first step follows.
  func begin() { lastSave = .now }

  /// Whether a checkpoint falls due after `step` updates; `isTimeUp` is what the flags of the step say of the clock.
  func isDue(after step: Int, isTimeUp: Bool) -> Bool { isTimeUp || schedule.isDue(after: step) }

  /// Whether this rank's clock says that a checkpoint is due; only that of rank 0 is asked.
  var isTimeUp: Bool {
    guard grid.world.rank == 0, underWay == nil, let seconds = schedule.seconds else { return false }
    return Self.seconds(since: lastSave) >= seconds
  }

  /// Whether this rank still writes its part of the checkpoint that is under way.
  var isWriting: Bool {
    switch underWay?.phase {
    case nil, .completing(nil): false
    case .writing(let work): !work.isDone
    case .completing(let work?): !work.isDone
    }
  }

  /// Begins a checkpoint of `trainer`, after the one that is under way. Collective.
  /// - Throws: `Failure`, on every rank alike, where `trainer` holds numbers that are not finite; nothing is written then.
  func save<Strategy: ParallelStrategy>(_ trainer: Trainer<Strategy>) throws {
    try finish()
    let begun = ContinuousClock.now
    try trainer.requireFinite(but: copy.take(trainer))
    let write = write(of: trainer)
    let work = Background(on: startedWorker(), staysHere: staysHere) { [copy, completesHere] in
      try write.writeShare(completesHere: completesHere) { try copy.write($0, with: $1) }
    }
    // Who had to wait for it at the next one would wait for the disk as well.
    let patience = lastBegun.map { (begun - $0) / .seconds(4) } ?? Self.mostPatience
    lastBegun = begun
    underWay = Save(write: write, begun: begun, patience: min(patience, Self.mostPatience), phase: .writing(work))
  }

  /// Carries the checkpoint that is under way on, where no rank writes any more. Collective.
  /// - Parameter othersWrite: what the flags of the step say of `isWriting`; the same on all ranks.
  func advance(othersWrite: Bool) throws {
    guard let underWay else { return }
    guard othersWrite else { return try Pulse.during(.checkpoint) { try takeNextPhase() } }
    // On a machine that has no time to spare it would take for ever.
    if Self.seconds(since: underWay.begun) > underWay.patience { underWay.hurry() }
  }

  /// Waits for the checkpoint that is under way, if there is one. Collective.
  func finish() throws {
    while underWay != nil { try Pulse.during(.checkpoint) { try takeNextPhase() } }
  }

  /// Waits for the checkpoint that is under way where none follows, and leaves nothing but whole ones. Collective.
  func end() throws {
    try finish()
    if grid.world.rank == 0 { store.giveUp() }
  }

  /// Writes a checkpoint of `trainer`, after which no step comes, and waits for it. Collective.
  /// - Throws: `Failure`, on every rank alike, where some rank cannot write it.
  func saveLast<Strategy: ParallelStrategy>(_ trainer: Trainer<Strategy>) throws {
    try finish()
    guard savedStep != trainer.state.step else { return try end() }
    // Nothing changes what the ranks hold meanwhile: no copy is needed.
    let write = write(of: trainer)
    do {
      let shares = try Agreement.gathering(grid.world) {
        SafetensorsPart.encoded(try write.writeShare(completesHere: completesHere) { try fill($1, $0, from: trainer) })
      }
      try noteCompleted(write) {
        try write.complete(try shares.map { try SafetensorsPart.decoded($0) }, isLast: true)
      }
    } catch let failure as Failure {
      try giveUp()
      throw explained(failure, write)
    }
  }

  private func startedWorker() -> Result<WorkerThread, Failure> {
    if let worker { return .success(worker) }
    return Result {
      let started = try WorkerThread("checkpoint")
      worker = started
      return started
    }.mapError { Failure($0) }
  }

  private func write<Strategy: ParallelStrategy>(of trainer: Trainer<Strategy>) -> CheckpointWrite {
    var state = trainer.state
    // Without its parameters the best loss is of no use.
    if !keepsBest { state.earlyStopping = EarlyStopping() }
    return CheckpointWrite(store: store, contents: contents, state: state)
  }

  private func takeNextPhase() throws {
    guard var save = underWay.take() else { return }
    do {
      switch save.phase {
      case .writing(let work):
        let encoded = try Agreement.gathering(grid.world) { SafetensorsPart.encoded(try work.value()) }
        let shares = try encoded.map { try SafetensorsPart.decoded($0) }
        let write = save.write
        save.phase = .completing(
          grid.world.rank == 0
            ? Background(on: startedWorker(), staysHere: staysHere) { try write.complete(shares) } : nil)
        underWay = save
      case .completing(let work):
        try noteCompleted(save.write) { try work?.value() ?? "" }
        schedule.note(seconds: Self.seconds(since: save.begun))
      }
    } catch let failure as Failure where failure.isShared {
      try giveUp()
      if grid.world.rank == 0 {
        let explained = explained(failure, save.write)
        Self.warn("\(explained.message); the training goes on (\(explained.hint ?? ""))")
      }
    }
  }

  /// Completes a checkpoint on rank 0, and takes note of it on all. Collective.
  private func noteCompleted(_ write: CheckpointWrite, _ body: () throws -> String) throws {
    _ = try Agreement.fromRoot(grid.world) {
      let warning = try body()
      if !warning.isEmpty { Self.warn(warning) }
      return []
    }
    lastSave = .now
    savedStep = write.state.step
  }

  /// Collective: the next checkpoint has the same folder, in which no rank may write before this one is gone.
  private func giveUp() throws {
    lastSave = .now
    _ = try Agreement.fromRoot(grid.world) {
      store.giveUp()
      return []
    }
  }

  /// A checkpoint that could not be written, in the user's words.
  private func explained(_ failure: Failure, _ write: CheckpointWrite) -> Failure {
    let kept = savedStep.map { "the checkpoint of step \($0) is intact: go on with --resume" }
    let needed = "a checkpoint takes \(Text.bytes(contents.bytes))"
    return Failure(
      // What is missing where something is to be written is no input.
      failure.code == .missingInput ? .cannotCreate : failure.code,
      "the checkpoint of step \(write.state.step) was not saved: \(failure.message)",
      hint: [needed, kept].compactMap { $0 }.joined(separator: "; "), isShared: failure.isShared)
  }

  private func fill<Strategy: ParallelStrategy>(
    _ writer: SafetensorsWriter, _ kind: CheckpointContents.Kind, from trainer: Trainer<Strategy>
  ) throws {
    let share = files.share
    switch kind {
    case .parameters: try trainer.strategy.withParameters { try share.write($0, with: writer) }
    case .best: try share.write(trainer.best, with: writer)
    case .moments:
      for index in contents.moments.indices {
        try trainer.optimizer.withState(index) { (state) throws(DataError) in
          try share.write(moment: index, state, with: writer)
        }
      }
    }
  }

  private static func seconds(since start: ContinuousClock.Instant) -> Double {
    (ContinuousClock.now - start) / .seconds(1)
  }

  private static func warn(_ message: String) {
    StandardStream.error.write("apus: warning: \(message)\n")
  }

  /// Gives the optimizer of `trainer` the state that it had in `earlier`, the checkpoint of a model which this training goes on from.
  /// Collective.
  /// - Parameter layout: of that model, which may lack columns and outputs.
  func takeOptimizer<Strategy: ParallelStrategy>(
    of earlier: (folder: String, state: TrainingState), _ layout: ParameterLayout, for trainer: Trainer<Strategy>
  ) throws {
    let path = FileSystem.join(earlier.folder, CheckpointContents.optimizerName)
    for (index, name) in trainer.optimizer.stateNames.enumerated() {
      try trainer.optimizer.updateState(index) { (state: inout FloatBuffer) throws in
        try files.readMoments(path, prefix: name + ".", of: layout, into: &state)
      }
    }
    trainer.state.earlierSteps = earlier.state.optimizerSteps
    trainer.optimizer.steps = trainer.state.optimizerSteps
  }

  /// The newest checkpoint that is whole: its folder and the state that it holds; nil where there is none. Collective.
  public static func newest(
    _ store: CheckpointStore, world: borrowing Communicator, warn: (String) -> Void
  ) throws -> (folder: String, state: TrainingState)? {
    let name = CheckpointWrite.stateName
    let bytes = try Agreement.fromRoot(world) {
      guard let folder = try store.newest(warn: warn) else { return [] }
      let state = try FileSystem.read(FileSystem.join(folder, name), limit: mostStateBytes)
      return Array(folder.utf8) + [0] + state
    }
    guard let end = bytes.firstIndex(of: 0) else { return nil }
    let folder = String(decoding: bytes[..<end], as: UTF8.self)
    let state = try Agreement.alike {
      try TrainingState(parsing: Array(bytes[(end + 1)...]), path: FileSystem.join(folder, name))
    }
    return (folder, state)
  }

  /// Gives `trainer` the parameters and moments of the checkpoint in `folder`. Collective: every rank gets what it holds, whatever
  /// ranks wrote it.
  public func restore<Strategy: ParallelStrategy>(_ trainer: Trainer<Strategy>, from folder: String) throws {
    func path(_ name: String) -> String { FileSystem.join(folder, name) }
    try trainer.strategy.replaceParameters { try files.readParameters(path(ModelFile.name), into: &$0) }
    for (index, name) in trainer.optimizer.stateNames.enumerated() {
      try trainer.optimizer.updateState(index) { (state: inout FloatBuffer) throws in
        try files.readMoments(path(CheckpointContents.optimizerName), prefix: name + ".", into: &state)
      }
    }
    trainer.optimizer.steps = trainer.state.optimizerSteps
    savedStep = trainer.state.step
    if trainer.state.earlyStopping.bestLoss != nil, trainer.best.count > 0 {
      try files.readParameters(path(CheckpointContents.bestName), into: &trainer.best)
    }
  }
}
