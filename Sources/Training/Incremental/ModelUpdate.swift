import Failures
import Files
import JSON
import MPI

/// The training of a run's model further, in its place.
///
/// All that the training writes lies in a folder of the run's directory, and the run is as it was, until there is a model that the job accepts.
/// Then what lies in the folder takes the place of what the run had, the model last and in one step. Where that is cut off, the next
/// training of the model ends it first.
public struct ModelUpdate: Sendable {
  /// The folder in the directory of a run.
  static let name = "update"
  /// Says which training was the last that took the model's place.
  static let recordName = "update.json"
  private static let mostBytes = 1 << 26

  /// The directory of the run.
  private let output: String
  /// Where the training writes.
  public var folder: String { FileSystem.join(output, Self.name) }

  /// Nil for a job that does not go on from the model in its own output.
  /// - Throws: `Failure` (64) where the model there has a name of its own, which nothing takes the place of.
  public init?(_ job: TrainingJob) throws {
    guard let from = job.from, let status = try FileSystem.status(of: from.model) else { return nil }
    let isFolder = status.kind == .directory
    let folder = isFolder ? from.model : FileSystem.directory(of: from.model)
    guard try Self.areSame(folder, job.output) else { return nil }
    guard isFolder || FileSystem.name(of: from.model) == ModelFile.name else {
      throw Failure(
        .usage, "the run writes to '\(job.output)', where the model lies that it goes on from",
        hint: "only \(ModelFile.name) is replaced there: choose another output")
    }
    output = job.output
  }

  /// Whether two paths are one folder, also by a symbolic link.
  private static func areSame(_ first: String, _ second: String) throws -> Bool {
    guard let one = try FileSystem.status(of: first), let other = try FileSystem.status(of: second) else {
      return false
    }
    return try FileSystem.absolute(first) == FileSystem.absolute(second) || one == other
  }

  /// Ends what was cut off while it took the run's place. On rank 0.
  /// - Throws: `Failure` (73) where another process works there.
  func finishInterrupted() throws {
    guard try FileSystem.status(of: FileSystem.join(folder, ModelFile.name)) != nil else { return }
    let lock = try RunDirectory.lock(output)
    defer { lock.release() }
    try takePlace()
  }

  /// Puts what the training has left in the place of what the run had. Each step can be made again. On rank 0, with the lock.
  func takePlace() throws {
    let names = [
      KeptSample.name, CheckpointStore.name, MetricsLog.name, ModelComparison.name, Self.recordName,
      RunDirectory.jobName,
    ]
    for name in names {
      let new = FileSystem.join(folder, name)
      guard try FileSystem.status(of: new) != nil else { continue }
      let old = FileSystem.join(output, name)
      try FileSystem.removeTree(old)
      try FileSystem.rename(new, to: old)
    }
    try FileSystem.removeTree(FileSystem.join(output, ModelFile.refusedName))
    try FileSystem.synchronizeDirectory(output)
    let model = FileSystem.join(folder, ModelFile.name)
    // A model that is in its place already was cut off behind it.
    if try FileSystem.status(of: model) != nil {
      try FileSystem.publish(model, as: FileSystem.join(output, ModelFile.name))
    }
    // What others still have open there, as on a network file system, harms nobody.
    try? FileSystem.removeTree(folder)
  }

  /// The model is accepted: checkpoints that the run had are no longer those of its model, and `record` says which training was the last.
  /// On rank 0.
  func prepare(_ record: [UInt8]) throws {
    try FileSystem.createDirectory(FileSystem.join(folder, CheckpointStore.name))
    try FileSystem.write(record, to: FileSystem.join(folder, Self.recordName))
  }

  /// What tells a training from others: its job, and the files of its data as they are now. On rank 0.
  private static func record(_ job: TrainingJob, files: [String]) throws -> [UInt8] {
    guard case .object(let members) = job.definition else { return [] }
    let files = try files.map { path in
      let status = try FileSystem.status(of: path)
      return JSONValue.array([.string(path), .integer(status?.bytes ?? 0), .integer(status?.modified ?? 0)])
    }
    let value = JSONValue.object([
      ("job", .object(members.filter { $0.key != "parallel" })), ("files", .array(files)),
    ])
    return Array(value.serialized(pretty: true).utf8)
  }

  /// Whether the model in the run's directory is what the training of `record` made of it, and nothing is left to do. On rank 0.
  private func isDone(_ record: [UInt8]) throws -> Bool {
    let path = FileSystem.join(output, Self.recordName)
    guard try FileSystem.status(of: path) != nil else { return false }
    return try FileSystem.read(path, limit: Self.mostBytes) == record
  }

  // MARK: Ranks

  /// The update that the job asks for, once one that was cut off is ended; nil where it asks for none. Collective.
  static func begin(_ job: TrainingJob, world: borrowing Communicator) throws -> ModelUpdate? {
    guard job.from != nil else { return nil }
    let answer = try Agreement.fromRoot(world) {
      guard let update = try ModelUpdate(job) else { return [] }
      try update.finishInterrupted()
      return [1]
    }
    return answer.isEmpty ? nil : ModelUpdate(output: job.output)
  }

  private init(output: String) { self.output = output }

  /// What tells the training from others, and whether it is what was done last. Collective.
  func find(_ job: TrainingJob, files: [String], world: borrowing Communicator) throws -> (
    record: [UInt8], isDone: Bool
  ) {
    let found = try Agreement.fromRoot(world) {
      let record = try Self.record(job, files: files)
      return [try isDone(record) ? 1 : 0] + record
    }
    return (Array(found.dropFirst()), found.first == 1)
  }
}
