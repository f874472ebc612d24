import Data
import Failures
import Files
import JSON
import MPI
import Model

/// A saved model that a training goes on from, and what lies beside it.
struct EarlierModel: Sendable {
  /// The model file.
  let path: String
  let description: ModelDescription
  /// The rows that its training kept; nil where it kept none.
  let sample: KeptSample?
  /// The newest checkpoint of its run, where the optimizer's state is wanted.
  let checkpoint: (folder: String, state: TrainingState)?

  /// Collective: every rank gets the same, or throws the same failure.
  init(_ wanted: Continuation, optimizer: String, world: borrowing Communicator) throws {
    let bytes = try Agreement.fromRoot(world) { Array(try ModelFile.locate(wanted.model).utf8) }
    let path = String(decoding: bytes, as: UTF8.self)
    let folder = FileSystem.directory(of: path)
    var description: ModelDescription?
    try Agreement.everywhere(world) { description = try ModelDescription(try ModelFile.open(path)) }
    guard let description else { preconditionFailure("all ranks read '\(path)', and there is no model") }
    self.path = path
    self.description = description
    sample = try KeptSample(beside: folder, world: world)
    guard wanted.takesOptimizer else {
      checkpoint = nil
      return
    }
    let store = CheckpointStore(directory: RunDirectory.checkpoints(of: folder), keep: 1)
    checkpoint = try Checkpointer.newest(store, world: world) { TrainingRun.warn($0) }
    let found = checkpoint?.state.step
    try Agreement.alike { try Self.check(description, checkpointStep: found, optimizer: optimizer, folder) }
  }

  /// Throws unless the state of the checkpoint belongs to the model and to the optimizer of the job.
  private static func check(
    _ description: ModelDescription, checkpointStep: Int?, optimizer: String, _ folder: String
  ) throws {
    guard let checkpointStep else {
      throw Failure(
        .missingInput, "'\(folder)' has no checkpoint to take the optimizer's state from",
        hint: "a run leaves one where it saves checkpoints; without from.optimizer the state begins anew")
    }
    guard checkpointStep == description.step else {
      throw Failure(
        .invalidData,
        "the newest checkpoint in '\(folder)' is of step \(checkpointStep), and the model of step \(description.step)",
        hint: "without from.optimizer the optimizer's state begins anew")
    }
    guard let earlier = description.setting("optimizer", "kind")?.asString, earlier != optimizer else { return }
    throw Failure(
      .invalidJob, "the state in '\(folder)' is that of \(earlier), and the job's optimizer is \(optimizer)",
      hint: "take the same optimizer, or leave from.optimizer out")
  }
}
