import CProcess
import Glibc

/// A program that this one has started. It is killed if this one ends before it.
public final class ChildProcess {
  /// How a program has ended.
  public enum End: Equatable, Sendable {
    case exited(Int32)
    case killed(signal: Int32)

    /// The exit code, or 128 + the signal that ended it, as a shell says it.
    public var code: Int32 {
      switch self {
      case .exited(let code): code
      case .killed(let signal): 128 + signal
      }
    }
  }

  public let name: String
  public let processIdentifier: Int
  /// What the program writes to the streams that are captured.
  public let output: Pipe.Reader
  private var end: End?

  /// Starts a program without input.
  ///
  /// - Parameters:
  ///   - words: the program, as a path or a name to be found in PATH, and its arguments.
  ///   - environment: added to that of this program; nil takes a variable away.
  ///   - captured: the streams that `output` gives; others are shared with this program.
  ///   - hasOwnGroup: the program is not reached by the keys of the terminal.
  /// - Throws: `FilesError` where the program does not exist or cannot be run.
  public init(
    _ words: [String], environment: [String: String?] = [:], captured: Set<StandardStream>, hasOwnGroup: Bool = false
  ) throws(FilesError) {
    guard let name = words.first, !(words.contains { $0.utf8.contains(0) }) else {
      throw FilesError(action: "start", call: "execve", path: words.first ?? "", code: EINVAL)
    }
    self.name = name
    let (reader, writer) = try Pipe.make()
    output = reader
    let nothing = try naming("/dev/null", "open") { () throws(SystemCall.Failure) in
      try SystemCall.open("/dev/null", O_RDONLY)
    }
    defer { try? SystemCall.close(nothing) }
    var plan = unsafe cprocess_plan()
    unsafe plan.input = nothing
    unsafe plan.output = captured.contains(.output) ? writer.descriptor : StandardStream.output.descriptor
    unsafe plan.error = captured.contains(.error) ? writer.descriptor : StandardStream.error.descriptor
    unsafe plan.own_group = hasOwnGroup ? 1 : 0
    unsafe plan.dies_with_parent = 1
    processIdentifier = Int(try unsafe Self.start(plan, words, Machine.environment(changedBy: environment)))
    // Ours would keep the pipe from ending.
    writer.close()
  }

  deinit {
    // A child that nobody asks after any more would stay as a zombie.
    if end == nil {
      try? SystemCall.kill(pid_t(processIdentifier), SIGKILL)
      _ = try? SystemCall.waitpid(pid_t(processIdentifier), blocks: true)
    }
  }

  private static func start(
    _ plan: cprocess_plan, _ words: [String], _ environment: [String]
  ) throws(FilesError) -> pid_t {
    var plan = unsafe plan
    var arguments: [UnsafeMutablePointer<CChar>?] = unsafe words.map { unsafe strdup($0) } + [nil]
    var variables: [UnsafeMutablePointer<CChar>?] = unsafe environment.map { unsafe strdup($0) } + [nil]
    defer {
      for index in words.indices { unsafe free(arguments[index]) }
      for index in environment.indices { unsafe free(variables[index]) }
    }
    do {
      return try unsafe arguments.withUnsafeMutableBufferPointer { (arguments) throws(SystemCall.Failure) in
        try unsafe variables.withUnsafeMutableBufferPointer { (variables) throws(SystemCall.Failure) in
          unsafe plan.file = UnsafePointer(arguments[0])
          unsafe plan.arguments = UnsafePointer(arguments.baseAddress)
          unsafe plan.environment = UnsafePointer(variables.baseAddress)
          return try unsafe SystemCall.spawn(plan)
        }
      }
    } catch {
      throw FilesError(action: "start", call: error.call.rawValue, path: words[0], code: error.code)
    }
  }

  /// How the program has ended; nil while it runs.
  public func poll() throws(FilesError) -> End? { try reap(blocks: false) }

  /// Waits for the end of the program.
  public func wait() throws(FilesError) -> End {
    guard let end = try reap(blocks: true) else { preconditionFailure("waitpid returned before \(name) had ended") }
    return end
  }

  private func reap(blocks: Bool) throws(FilesError) -> End? {
    if end != nil { return end }
    let process = pid_t(processIdentifier)
    let status = try naming(name, "wait for") { () throws(SystemCall.Failure) in
      try SystemCall.waitpid(process, blocks: blocks)
    }
    guard let status else { return nil }
    // The macros of wait(2), which Swift does not import.
    let signal = status & 0x7F
    end = signal == 0 ? .exited(status >> 8 & 0xFF) : .killed(signal: signal)
    return end
  }

  /// Whether a program that this one has started still runs.
  public var hasRunningChild: Bool { Machine.hasRunningChild(process: processIdentifier) }

  /// Kills the program and all that it has started on this machine, and that these have.
  public func killAll() {
    let others = Machine.descendants(ofProcess: processIdentifier)
    send(.kill)
    for other in others { try? SystemCall.kill(pid_t(other), SIGKILL) }
  }

  /// Sends a signal to the program; one that has ended is no error.
  public func send(_ signal: SignalQueue.Signal) {
    guard end == nil else { return }
    try? SystemCall.kill(pid_t(processIdentifier), signal.number)
  }
}
