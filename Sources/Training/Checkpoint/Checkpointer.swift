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
/// Every rank writes and reads what it holds; every rank calls the methods that are marked as collective.
public final class Checkpointer {
  private static let stateName = "state.json"
  private static let optimizerName = "optimizer.safetensors"
  private static let bestName = "best.safetensors"
  private static let mostStateBytes = 1 << 20

  private let store: CheckpointStore
  private let everySeconds: Double
  /// What a model file of the training says; the step is filled in.
  private let description: ModelDescription
  private let files: ModelFiles
  private let grid: ProcessGrid
  private var lastSave = ContinuousClock.now
  /// The step of the newest checkpoint that this start wrote or began with.
  private(set) var savedStep: Int?

  init(
    store: CheckpointStore, everySeconds: Double, description: ModelDescription, files: ModelFiles, grid: ProcessGrid
  ) {
    self.store = store
    self.everySeconds = everySeconds
    self.description = description
    self.files = files
    self.grid = grid
  }

  /// The first step follows.
  func begin() { lastSave = .now }

  /// Whether this rank's clock says that a checkpoint is due; only that of rank 0 is asked.
  var isTimeUp: Bool {
    grid.world.rank == 0 && everySeconds > 0 && (ContinuousClock.now - lastSave) / .seconds(1) >= everySeconds
  }

  /// Writes a checkpoint of `trainer`. Collective: every rank writes what it holds.
  func save<Strategy: ParallelStrategy>(_ trainer: Trainer<Strategy>) throws {
    let step = trainer.state.step
    do {
      try write(trainer)
    } catch let failure as Failure {
      let kept = savedStep.map { "the checkpoint of step \($0) is intact: go on with --resume" }
      let buffers = 1 + trainer.optimizer.stateNames.count
      let needed = "a checkpoint takes \(Text.bytes(4 * description.model.layout.count * buffers))"
      throw Failure(
        // What is missing where something is to be written is no input.
        failure.code == .missingInput ? .cannotCreate : failure.code,
        "the checkpoint of step \(step) was not saved: \(failure.message)",
        hint: [needed, kept].compactMap { $0 }.joined(separator: "; "), isShared: failure.isShared)
    }
    lastSave = .now
    savedStep = step
  }

  /// One file of a checkpoint.
  private struct Content {
    /// What the tensors are of.
    enum Kind {
      case parameters, moments, best
    }

    let kind: Kind
    let name: String
    let layout: SafetensorsLayout
  }

  private func contents(_ state: TrainingState, stateNames: [String]) -> [Content] {
    var description = description
    description.step = state.step
    let whole = description.model.layout
    var contents = [Content(kind: .parameters, name: ModelFile.name, layout: ModelFile.layout(of: description))]
    if !stateNames.isEmpty {
      // Each tensor has the name of its moment before its own: `first_moment.layers.0.weight`.
      let layout = ModelFile.layout(of: whole, prefixes: stateNames.map { $0 + "." })
      contents.append(Content(kind: .moments, name: Self.optimizerName, layout: layout))
    }
    if state.earlyStopping.bestLoss != nil {
      contents.append(Content(kind: .best, name: Self.bestName, layout: ModelFile.layout(of: whole)))
    }
    return contents
  }

  private func write<Strategy: ParallelStrategy>(_ trainer: Trainer<Strategy>) throws {
    let state = trainer.state
    let contents = contents(state, stateNames: trainer.optimizer.stateNames)
    var folder = ""
    try SharedFiles.write(
      contents.map(\.layout), world: grid.world,
      make: {
        folder = try store.begin(step: state.step)
        return contents.map { FileSystem.join(folder, $0.name) }
      },
      fill: { try fill($1, contents[$0].kind, from: trainer) },
      publish: { receipts in
        var entries = zip(contents, receipts).map { content, receipt in
          CheckpointManifest.Entry(name: content.name, bytes: receipt.bytes, checksum: receipt.checksum.hex)
        }
        let bytes = Array(state.json.serialized(pretty: true).utf8)
        try FileSystem.write(bytes, to: FileSystem.join(folder, Self.stateName))
        entries.append(
          CheckpointManifest.Entry(name: Self.stateName, bytes: bytes.count, checksum: Checksum(of: bytes).hex))
        try store.commit(step: state.step, entries)
      },
      giveUp: { store.giveUp(step: state.step) })
  }

  private func fill<Strategy: ParallelStrategy>(
    _ writer: SafetensorsWriter, _ kind: Content.Kind, from trainer: Trainer<Strategy>
  ) throws {
    switch kind {
    case .parameters: try trainer.strategy.withParameters { try files.write($0, with: writer) }
    case .best: try files.write(trainer.best, with: writer)
    case .moments:
      for index in trainer.optimizer.stateNames.indices {
        try trainer.optimizer.withState(index) { (state) throws(DataError) in
          try files.write(moment: index, state, with: writer)
        }
      }
    }
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

  /// Gives `trainer` the parameters and moments of the checkpoint in `folder`. Collective: every rank gets what it holds, whatever
  /// ranks wrote it.
  public func restore<Strategy: ParallelStrategy>(_ trainer: Trainer<Strategy>, from folder: String) throws {
    func path(_ name: String) -> String { FileSystem.join(folder, name) }
    try trainer.strategy.replaceParameters { try files.readParameters(path(ModelFile.name), into: &$0) }
    for (index, name) in trainer.optimizer.stateNames.enumerated() {
      try trainer.optimizer.updateState(index) { (state: inout FloatBuffer) throws in
        try files.readMoments(path(Self.optimizerName), prefix: name + ".", into: &state)
      }
    }
    trainer.optimizer.steps = trainer.state.step
    savedStep = trainer.state.step
    if trainer.state.earlyStopping.bestLoss != nil, trainer.best.count > 0 {
      try files.readParameters(path(Self.bestName), into: &trainer.best)
    }
  }
}
