import Foundation
import Glibc
import Synchronization

/// A program that a test started.
///
/// Its output goes to files rather than through pipes: a program that writes much cannot block, and a process that outlives its
/// parent and keeps the output open (a rank of a killed `mpirun`) cannot hold up the test.
public final class RunningProgram: Sendable {
  /// The process id; also the id of its process group.
  public let processIdentifier: Int32

  private let command: String
  private let files: TemporaryDirectory
  private let started: ContinuousClock.Instant
  private let result = Mutex<RunResult?>(nil)
  private let peakMemory = Atomic<Int>(0)

  init(
    _ program: String, _ arguments: [String], environment: [String: String?], workingDirectory: String?, input: String
  ) throws {
    command = ([program] + arguments).joined(separator: " ")
    // The spawn call that changes the folder is not visible from Swift; `env` changes it and then becomes the program.
    let words = workingDirectory.map { ["env", "-C", $0, program] + arguments } ?? [program] + arguments
    files = try TemporaryDirectory("run")
    try files.write(text: input, to: "input")

    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    let create = O_WRONLY | O_CREAT | O_APPEND
    posix_spawn_file_actions_addopen(&actions, 0, files.file("input"), O_RDONLY, 0)
    posix_spawn_file_actions_addopen(&actions, 1, files.file("output"), create, 0o600)
    posix_spawn_file_actions_addopen(&actions, 2, files.file("error"), create, 0o600)

    // A group of its own, so that all of it can be killed; no signal blocked or ignored by inheritance from the test runner.
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    var signals = sigset_t()
    sigemptyset(&signals)
    posix_spawnattr_setsigmask(&attributes, &signals)
    for signal in [SIGHUP, SIGINT, SIGQUIT, SIGPIPE, SIGTERM, SIGUSR1, SIGUSR2, SIGCHLD] { sigaddset(&signals, signal) }
    posix_spawnattr_setsigdefault(&attributes, &signals)
    posix_spawnattr_setpgroup(&attributes, 0)
    posix_spawnattr_setflags(
      &attributes, Int16(POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))

    var merged = ProcessInfo.processInfo.environment
    for (name, value) in environment { merged[name] = value }

    var argumentPointers: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) } + [nil]
    var environmentPointers: [UnsafeMutablePointer<CChar>?] = merged.map { strdup("\($0)=\($1)") } + [nil]
    defer { for pointer in argumentPointers + environmentPointers { free(pointer) } }

    started = .now
    var child: pid_t = 0
    let code = posix_spawnp(&child, words[0], &actions, &attributes, &argumentPointers, &environmentPointers)
    guard code == 0 else {
      throw RunError(description: "cannot start '\(program)': \(String(cString: strerror(code)))")
    }
    processIdentifier = child
  }

  deinit {
    if result.withLock({ $0 == nil }) { _ = finish(timedOut: true) }
  }

  /// Sends a signal to the program alone (not to its children), as a user's `kill` does.
  public func send(_ signal: Int32) {
    result.withLock { if $0 == nil { kill(processIdentifier, signal) } }
  }

  /// What it has written to standard output so far.
  public var outputSoFar: String { (try? files.readText("output")) ?? "" }
  /// What it has written to standard error so far.
  public var errorSoFar: String { (try? files.readText("error")) ?? "" }

  /// Waits until `condition` holds, the program ends or patience does.
  /// - Returns: whether the condition held.
  public func wait(timeout: Duration = Patience.most, until condition: () throws -> Bool) rethrows -> Bool {
    let deadline = ContinuousClock.now + timeout
    while ContinuousClock.now < deadline {
      if try condition() { return true }
      if !isRunning { return try condition() }
      usleep(5_000)
    }
    return try condition()
  }

  /// Whether the program still runs.
  public var isRunning: Bool {
    result.withLock { result in
      if result == nil { result = reap(flags: WNOHANG, timedOut: false) }
      return result == nil
    }
  }

  /// Waits for the program's end; past the timeout, which begins now, it is killed with everything it started.
  public func wait(timeout: Duration = Patience.most) -> RunResult {
    let deadline = ContinuousClock.now + timeout
    var pause: UInt32 = 500
    while ContinuousClock.now < deadline {
      let ended = result.withLock { result in
        if result == nil { result = reap(flags: WNOHANG, timedOut: false) }
        return result
      }
      if let ended { return ended }
      usleep(pause)
      pause = min(pause * 2, 5_000)
    }
    return finish(timedOut: true)
  }

  /// The processes that the program started, and those that they started, as far as their parents still live.
  public var descendants: [Int32] { Self.descendants(of: processIdentifier) }

  private func finish(timedOut: Bool) -> RunResult {
    result.withLock { result in
      if let result { return result }
      // Ranks have process groups of their own, so the group of mpirun is not enough.
      let children = descendants
      kill(-processIdentifier, SIGKILL)
      for child in children { kill(child, SIGKILL) }
      let ended = reap(flags: 0, timedOut: timedOut)!
      result = ended
      return ended
    }
  }

  /// Collects the ended program; `nil` if it still runs.
  private func reap(flags: Int32, timedOut: Bool) -> RunResult? {
    var status: Int32 = 0
    var answer: pid_t = -1
    samplePeakMemory()
    var usage = rusage()
    repeat { answer = wait4(processIdentifier, &status, flags, &usage) } while answer == -1 && errno == EINTR
    if answer == 0 { return nil }
    let signal: Int32? = (status & 0x7f) == 0 ? nil : status & 0x7f
    return RunResult(
      command: command, exitCode: signal.map { 128 + $0 } ?? (status >> 8) & 0xff, signal: signal, timedOut: timedOut,
      outputBytes: (try? files.read("output")) ?? [], errorBytes: (try? files.read("error")) ?? [],
      duration: ContinuousClock.now - started, processorTime: Duration(usage.ru_utime) + Duration(usage.ru_stime),
      peakMemoryBytes: peakMemory.load(ordering: .relaxed))
  }

  /// `getrusage` would count what the test runner itself held when it started the program.
  private func samplePeakMemory() {
    guard let status = try? String(contentsOfFile: "/proc/\(processIdentifier)/status", encoding: .utf8),
      let line = status.split(separator: "\n").first(where: { $0.hasPrefix("VmHWM:") }),
      let kibibytes = line.split(whereSeparator: { $0 == " " || $0 == "\t" }).dropFirst().first.flatMap({ Int($0) })
    else { return }
    peakMemory.max(kibibytes * 1_024, ordering: .relaxed)
  }

  private static func descendants(of root: Int32) -> [Int32] {
    var children: [Int32: [Int32]] = [:]
    for name in (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? [] {
      guard let process = Int32(name), let stat = try? String(contentsOfFile: "/proc/\(name)/stat", encoding: .utf8),
        // The second field is the program's name in parentheses and may hold anything; the parent's id is the second behind it.
        let name = stat.lastIndex(of: ")")
      else { continue }
      let fields = stat[stat.index(after: name)...].split(separator: " ")
      guard fields.count > 1, let parent = Int32(fields[1]) else { continue }
      children[parent, default: []].append(process)
    }
    var found: [Int32] = []
    var pending = [root]
    while let next = pending.popLast() {
      let below = children[next] ?? []
      found += below
      pending += below
    }
    return found
  }
}

extension Duration {
  fileprivate init(_ time: timeval) { self = .seconds(time.tv_sec) + .microseconds(time.tv_usec) }
}
