import Failures
import Files
public import JSON

/// The directory that a run writes. Used by rank 0; it is locked as long as the value lives.
public final class RunDirectory {
  /// What becomes of a run that is there already.
  public enum Policy: Equatable, Sendable {
    case refuse, resume, overwrite
  }

  public static let jobName = "job.json"
  private static let lockName = ".lock"
  /// How long to wait for another run: ranks that were killed may still be there when what started them has ended.
  private static let patience = Duration.seconds(5)

  public let path: String
  private let lock: FileLock
  /// What an earlier run left and a new one replaces.
  private let leftovers: [String]

  /// Makes and locks the directory. What lies in it stays as it is until `begin`.
  /// - Parameter owner: the directory whose lock is taken, where it is not this one itself.
  /// - Throws: `Failure` (73) where a run is there and must not be touched, or another process works on it.
  public init(_ path: String, policy: Policy, owner: String? = nil) throws {
    self.path = path
    lock = try Self.lock(owner ?? path)
    if owner != nil { try Self.use(path) { () throws(FilesError) in try FileSystem.createDirectory(path) } }
    let names = [
      Self.jobName, MetricsLog.name, ModelFile.name, CheckpointStore.name, KeptSample.name, ModelComparison.name,
      ModelFile.refusedName,
    ]
    let found = try names.filter {
      try FileSystem.status(of: FileSystem.join(path, $0)) != nil
    }
    // A run that failed before its first step has left nothing that could be lost.
    let hasLog = try FileSystem.status(of: FileSystem.join(path, MetricsLog.name)).map { $0.bytes > 0 } ?? false
    let isWorthless = found.allSatisfy { $0 == Self.jobName || $0 == MetricsLog.name && !hasLog }
    guard policy != .refuse || isWorthless else {
      throw Failure(
        .cannotCreate, "the output directory '\(path)' holds a run already (\(found.joined(separator: ", ")))",
        hint: "--resume goes on with it, --overwrite replaces it, --set output=DIRECTORY writes elsewhere")
    }
    leftovers = policy == .resume ? [] : found
  }

  /// Makes the directory at `path` if need be, and takes the sole right to it.
  /// - Throws: `Failure` (73) where another process has it, or there can be none.
  static func lock(_ path: String) throws -> FileLock {
    try use(path) { () throws(FilesError) in
      try FileSystem.createDirectory(path)
      return try FileLock(FileSystem.join(path, lockName), patience: patience)
    }
  }

  private static func use<Value>(_ path: String, _ body: () throws(FilesError) -> Value) throws -> Value {
    do {
      return try body()
    } catch {
      let hint =
        error.kind == .locked ? "another apus train writes there: wait for it, or choose another output" : nil
      throw Failure(
        error.kind == .permission ? .permission : .cannotCreate,
        "the output directory '\(path)' cannot be used: \(error)", hint: hint)
    }
  }

  /// A training begins: an earlier run goes where it is to be replaced, and the job is written.
  public func begin(job: JSONValue) throws {
    for name in leftovers { try FileSystem.removeTree(FileSystem.join(path, name)) }
    try FileSystem.write(Array(job.serialized(pretty: true).utf8), to: FileSystem.join(path, Self.jobName))
  }

  /// Lets others work on the directory.
  public func unlock() { lock.release() }

  public var metricsPath: String { FileSystem.join(path, MetricsLog.name) }

  /// The folder of the checkpoints of the run at `path`.
  public static func checkpoints(of path: String) -> String { FileSystem.join(path, CheckpointStore.name) }
}
