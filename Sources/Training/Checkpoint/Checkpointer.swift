import Data
import Failures
import Files
import JSON
import Kernels
public import MPI
import Model
import Optimization
public import Parallel
import Text

/// Saves a training as it goes, and brings it back.
///
/// Rank 0 writes and reads; every rank calls the methods that are marked as collective.
public final class Checkpointer {
  private static let stateName = "state.json"
  private static let optimizerName = "optimizer.safetensors"
  private static let bestName = "best.safetensors"
  private static let mostStateBytes = 1 << 20

  private let store: CheckpointStore
  private let everySeconds: Double
  private let world: Communicator
  /// What a model file of the training says; the step is filled in.
  private let description: ModelDescription
  private var lastSave = ContinuousClock.now
  /// The step of the newest checkpoint that this start wrote or began with.
  private(set) var savedStep: Int?

  /// Collective.
  public init(
    store: CheckpointStore, everySeconds: Double, description: ModelDescription, world: borrowing Communicator
  ) throws {
    self.store = store
    self.everySeconds = everySeconds
    self.description = description
    self.world = try world.duplicate()
  }

  /// The first step follows.
  func begin() { lastSave = .now }

  /// Whether this rank's clock says that a checkpoint is due; only that of rank 0 is asked.
  var isTimeUp: Bool {
    world.rank == 0 && everySeconds > 0 && (ContinuousClock.now - lastSave) / .seconds(1) >= everySeconds
  }

  /// Writes a checkpoint of `trainer`. Collective.
  func save<Strategy: ParallelStrategy>(_ trainer: Trainer<Strategy>) throws {
    let step = trainer.state.step
    _ = try Agreement.fromRoot(world) {
      do {
        try store.save(step: step) { try write(trainer, into: $0) }
      } catch {
        let failure = Failure(error)
        let kept = savedStep.map { "the checkpoint of step \($0) is intact: go on with --resume" }
        let buffers = 1 + trainer.optimizer.stateNames.count
        let needed = "a checkpoint takes \(Text.bytes(4 * description.model.layout.count * buffers))"
        throw Failure(
          // What is missing where something is to be written is no input.
          failure.code == .missingInput ? .cannotCreate : failure.code,
          "the checkpoint of step \(step) was not saved: \(failure.message)",
          hint: [needed, kept].compactMap { $0 }.joined(separator: "; "))
      }
      return []
    }
    lastSave = .now
    savedStep = step
  }

  private func write<Strategy: ParallelStrategy>(
    _ trainer: Trainer<Strategy>, into folder: String
  ) throws -> [CheckpointManifest.Entry] {
    var entries: [CheckpointManifest.Entry] = []
    func note(_ name: String, _ receipt: SafetensorsWriter.Receipt) {
      entries.append(CheckpointManifest.Entry(name: name, bytes: receipt.bytes, checksum: receipt.checksum.hex))
    }
    var description = description
    description.step = trainer.state.step
    let model = FileSystem.join(folder, ModelFile.name)
    note(ModelFile.name, try trainer.strategy.withParameters { try ModelFile.write($0, description, to: model) })
    let layout = description.model.layout
    if !trainer.optimizer.stateNames.isEmpty {
      note(
        Self.optimizerName,
        try writeOptimizer(trainer.optimizer, layout, to: FileSystem.join(folder, Self.optimizerName)))
    }
    if trainer.state.earlyStopping.bestLoss != nil {
      note(Self.bestName, try ModelFile.write(trainer.best, layout, to: FileSystem.join(folder, Self.bestName)))
    }
    let state = Array(trainer.state.json.serialized(pretty: true).utf8)
    try FileSystem.write(state, to: FileSystem.join(folder, Self.stateName))
    entries.append(
      CheckpointManifest.Entry(name: Self.stateName, bytes: state.count, checksum: Checksum(of: state).hex))
    return entries
  }

  /// The moments, each tensor with the name of its moment before its own: `first_moment.layers.0.weight`.
  private func writeOptimizer(
    _ optimizer: borrowing Optimizer, _ layout: ParameterLayout, to path: String
  ) throws -> SafetensorsWriter.Receipt {
    let tensors = optimizer.stateNames.flatMap { state in
      layout.entries.map { SafetensorsWriter.Entry("\(state).\($0.name)", shape: $0.shape) }
    }
    let writer = try SafetensorsWriter(path: path, tensors: tensors)
    for index in optimizer.stateNames.indices {
      for entry in layout.entries {
        try optimizer.withState(index) { (state) throws(DataError) in try writer.append(state, entry.range) }
      }
    }
    return try writer.finish()
  }

  /// The newest checkpoint that is whole: its folder and the state that it holds; nil where there is none. Collective.
  public static func newest(
    _ store: CheckpointStore, world: borrowing Communicator, warn: (String) -> Void
  ) throws -> (folder: String, state: TrainingState)? {
    let bytes = try Agreement.fromRoot(world) {
      guard let folder = try store.newest(warn: warn) else { return [] }
      let state = try FileSystem.read(FileSystem.join(folder, stateName), limit: mostStateBytes)
      return Array(folder.utf8) + [0] + state
    }
    guard let end = bytes.firstIndex(of: 0) else { return nil }
    let folder = String(decoding: bytes[..<end], as: UTF8.self)
    let state = try Agreement.alike {
      try TrainingState(parsing: Array(bytes[(end + 1)...]), path: FileSystem.join(folder, stateName))
    }
    return (folder, state)
  }

  /// Gives `trainer` the parameters and moments of the checkpoint in `folder`. Collective.
  public func restore<Strategy: ParallelStrategy>(_ trainer: Trainer<Strategy>, from folder: String) throws {
    let layout = description.model.layout
    try trainer.strategy.replaceParameters { parameters in
      try load(ModelFile.name, in: folder, layout, into: &parameters)
    }
    var buffer = FloatBuffer(count: layout.count)
    for (index, name) in trainer.optimizer.stateNames.enumerated() {
      try load(Self.optimizerName, in: folder, layout, prefix: name + ".", into: &buffer)
      trainer.optimizer.setState(index, from: buffer)
    }
    trainer.optimizer.steps = trainer.state.step
    savedStep = trainer.state.step
    if trainer.state.earlyStopping.bestLoss != nil, trainer.best.count > 0 {
      try load(Self.bestName, in: folder, layout, into: &trainer.best)
    }
  }

  private func load(
    _ name: String, in folder: String, _ layout: ParameterLayout, prefix: String = "", into values: inout FloatBuffer
  ) throws {
    try ModelFile.share(FileSystem.join(folder, name), layout, prefix: prefix, into: &values, world: world)
  }
}
