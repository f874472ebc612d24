import Failures
import JSON
import MPI
import Settings
import Training
import Watch

/// What the words of a command say of a job that is to be run: `JOB [--set KEY=VALUE]... [--resume | --overwrite] [--dry-run]`.
struct JobRequest {
  let path: String
  let overrides: [JobOverride]
  let policy: RunDirectory.Policy
  let isDry: Bool

  /// - Parameter more: overrides by options of the command's own.
  init(_ arguments: Arguments, more: [JobOverride] = [], _ syntax: Syntax) throws {
    path = arguments.positionals[0]
    overrides = try arguments.values("--set").map { try JobOverride(parsing: $0) } + more
    policy = try arguments.runPolicy(syntax)
    isDry = arguments.has("--dry-run")
  }

  /// What is known before the job file is read: rank 0 reads it for all, when they have met.
  var deadlines: Deadlines {
    var deadlines = Deadlines()
    let start = overrides.last { $0.key == "watchdog.\(Phase.start.name)" }
    if let seconds = start?.value.asDouble { deadlines[.start] = .seconds(seconds) }
    return deadlines
  }

  /// The job that `parse` makes of the file, read by rank 0, and the overrides. Collective: the same on every rank, or the same failure.
  func job<Job>(
    _ world: borrowing Communicator, _ parse: ([UInt8], String, [JobOverride]) throws -> Job
  ) throws -> Job {
    let bytes = try Agreement.fromRoot(world) { try JobFile.read(path) }
    return try Agreement.alike { try parse(bytes, path, overrides) }
  }
}
