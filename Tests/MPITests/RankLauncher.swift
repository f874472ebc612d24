import Foundation
import Glibc

/// Starts RankCases, alone or under `mpirun`, with a deadline.
struct RankLauncher {
  struct Outcome {
    /// The exit code of the program that was started; 128 + signal where a signal ended it.
    var exitCode: Int32
    var output: String
    var errors: String
    var seconds: Double
    var timedOut: Bool
  }

  /// Beside the test bundle, where the package manager puts the executables.
  static let executable: URL = {
    let bundle = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
    return bundle.deletingLastPathComponent().appendingPathComponent("RankCases")
  }()

  static let environment: [String: String] = ProcessInfo.processInfo.environment.merging([
    "OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1", "SWIFT_BACKTRACE": "enable=no",
  ]) { $1 }

  /// Runs the named cases on `ranks` ranks; without `mpirun` where that is `nil`.
  static func run(
    _ arguments: [String], ranks: Int?, environment extra: [String: String] = [:], timeout: Double = 300
  ) throws -> Outcome {
    let process = try start(arguments, ranks: ranks, environment: extra)
    return process.wait(timeout: timeout)
  }

  static func start(
    _ arguments: [String], ranks: Int?, environment extra: [String: String] = [:]
  ) throws -> Running {
    let process = Process()
    // setsid: a process group of its own, so that a deadline ends mpirun and all ranks, and not this test.
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = ["setsid", "--wait"]
    if let ranks {
      process.arguments? += [
        "mpirun", "-n", "\(ranks)", "--oversubscribe", "--mca", "mpi_yield_when_idle", "1", "--bind-to", "none",
      ]
    }
    process.arguments? += [executable.path] + arguments
    process.environment = environment.merging(extra) { $1 }
    return try Running(process)
  }

  /// A started program whose output is being read.
  final class Running {
    let process: Process
    private let output = Collector()
    private let errors = Collector()
    private let began = Date()

    fileprivate init(_ process: Process) throws {
      self.process = process
      process.standardInput = FileHandle.nullDevice
      process.standardOutput = output.pipe
      process.standardError = errors.pipe
      try process.run()
      output.begin()
      errors.begin()
    }

    var outputSoFar: String { output.text }

    /// The processes below the one that was started, by name.
    func descendants(named name: String) -> [pid_t] {
      var found: [pid_t] = []
      var frontier = [process.processIdentifier]
      while let parent = frontier.popLast() {
        let path = "/proc/\(parent)/task/\(parent)/children"
        let children = ((try? String(contentsOfFile: path, encoding: .utf8)) ?? "").split(separator: " ")
        for child in children.compactMap({ pid_t($0) }) {
          frontier.append(child)
          let command = (try? String(contentsOfFile: "/proc/\(child)/comm", encoding: .utf8)) ?? ""
          if command.hasPrefix(name) { found.append(child) }
        }
      }
      return found
    }

    func wait(timeout: Double) -> Outcome {
      let deadline = began.addingTimeInterval(timeout)
      while process.isRunning, Date() < deadline { usleep(5_000) }
      let timedOut = process.isRunning
      let seconds = Date().timeIntervalSince(began)
      if timedOut {
        for child in descendants(named: "") { kill(child, SIGKILL) }
        process.terminate()
      }
      process.waitUntilExit()
      let code = process.terminationStatus + (process.terminationReason == .uncaughtSignal ? 128 : 0)
      return Outcome(
        exitCode: code, output: output.finish(), errors: errors.finish(), seconds: seconds, timedOut: timedOut)
    }
  }

  /// Reads a pipe to its end on a thread of its own, so that the program never waits for a reader.
  private final class Collector: @unchecked Sendable {
    let pipe = Pipe()
    private let lock = NSLock()
    private let ended = DispatchSemaphore(value: 0)
    private var bytes = Data()

    var text: String { lock.withLock { String(decoding: bytes, as: UTF8.self) } }

    func begin() {
      Thread.detachNewThread { [self] in
        while true {
          let more = pipe.fileHandleForReading.availableData
          if more.isEmpty { break }
          lock.withLock { bytes += more }
        }
        ended.signal()
      }
    }

    /// What was written; waits for the last writer for seconds at most.
    func finish() -> String {
      _ = ended.wait(timeout: .now() + 5)
      return text
    }
  }
}

func isAlive(_ process: pid_t) -> Bool {
  guard let state = try? String(contentsOfFile: "/proc/\(process)/stat", encoding: .utf8) else { return false }
  // A process that has ended is a zombie until its new parent takes note.
  return !(state.split(separator: ")").last?.hasPrefix(" Z") ?? true)
}
