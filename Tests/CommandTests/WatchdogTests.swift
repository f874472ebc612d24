import Foundation
import Glibc
import TestSupport
import Testing

/// Ranks that stop, and ranks that only pause.
@Suite(.serialized)
struct WatchdogTests {
  private static let limits = "start: 60, reading: 4, step: 4, collective: 4, checkpoint: 4, evaluation: 4"

  private func training(_ watchdog: String = limits) throws -> EndlessTraining {
    try EndlessTraining("watchdog", "model: { kind: \"softmax\" }, watchdog: { \(watchdog) }")
  }

  @Test(arguments: [0, 2]) func stoppedRankIsNamedAndEndsTheJob(rank: Int) throws {
    let training = try training()
    let running = try training.running()
    let process = try CommandLineRun.process(ofRank: rank, in: running)
    let since = ContinuousClock.now
    kill(process, SIGSTOP)
    let result = running.wait()
    #expect(!result.timedOut && result.exitCode == 76, "\(result)")
    #expect(ContinuousClock.now - since > .seconds(4), "\(result)")
    let report = result.messages.first { $0.contains("watchdog.") } ?? ""
    #expect(report.contains("rank \(rank) (host ") && report.contains("process \(process)) hangs"), "\(result)")
    #expect(report.contains("stopped by a signal"), "\(result)")
    // How long it had been silent: seen within six seconds after what it may.
    let row = try Regex(
      " \(rank)  [^ ]+ +\(process)  .* ([0-9.]+) s  .*stopped by a signal", as: (Substring, Substring).self)
    let silent = try #require(report.firstMatch(of: row).flatMap { Double($0.output.1) }, "\(result)")
    #expect(silent >= 4 && silent < 10, "\(result)")
    // A line for every rank, with its host, process, phase and step.
    let host = try Run.shell("hostname").outputLines[0]
    for rank in 0..<3 {
      #expect(
        report.firstMatch(of: try Regex(" \(rank)  \(host) +[0-9]+ .*(start|step|checkpoint|reading) +[0-9,]+ +[0-9]"))
          != nil, "\(result)")
    }
    CommandLineRun.expectNoProcess(of: training.folder)
    try training.resume(ranks: 3)
  }

  /// Stopped as soon as it is watched, and before the ranks can tell each other anything.
  @Test func rankThatIsStoppedInItsStart() throws {
    let training = try training("start: 5, reading: 5, step: 5, collective: 5, checkpoint: 5, evaluation: 5")
    let running = try MPILauncher.start(
      ranks: 3, Binaries.apus, training.arguments, options: CommandLineRun.impatient,
      workingDirectory: training.folder.path)
    var stopped: Int32?
    _ = running.wait(timeout: .seconds(20)) {
      guard let process = CommandLineRun.findProcess(ofRank: 1, in: running), Self.isWatched(process) else {
        return false
      }
      kill(process, SIGSTOP)
      stopped = process
      return true
    }
    let process = try #require(stopped)
    let result = running.wait(timeout: .seconds(60))
    #expect(!result.timedOut && result.exitCode == 76, "\(result)")
    let report = result.messages.first { $0.contains("watchdog.") } ?? ""
    #expect(report.contains("rank 1 (host ") && report.contains("process \(process)) hangs: "), "\(result)")
    #expect(report.contains("stopped by a signal"), "\(result)")
    CommandLineRun.expectNoProcess(of: training.folder)
  }

  private static func isWatched(_ process: Int32) -> Bool {
    let tasks = "/proc/\(process)/task"
    return ((try? FileManager.default.contentsOfDirectory(atPath: tasks)) ?? []).contains { task in
      (try? String(contentsOfFile: "\(tasks)/\(task)/comm", encoding: .utf8)) == "apus-watchdog\n"
    }
  }

  /// One rank after the other stands still for half of what it may.
  @Test func pausesAreNoStall() throws {
    // Long enough for a busy machine to add something to each pause.
    let training = try training(Self.limits.replacing(": 4", with: ": 12"))
    let running = try training.running()
    for rank in [0, 2] {
      let process = try CommandLineRun.process(ofRank: rank, in: running)
      kill(process, SIGSTOP)
      usleep(6_000_000)
      kill(process, SIGCONT)
      let step = training.lastStep
      #expect(running.wait { training.lastStep > step })
    }
    #expect(running.isRunning)
    #expect(training.folder.contains("run/.beats"))
    let mpirun = running.processIdentifier
    kill(mpirun, SIGUSR1)
    let result = running.wait()
    #expect(result.exitCode == 75 && !result.standardError.contains("watchdog"), "\(result)")
    #expect(!training.folder.contains("run/.beats"))
  }

  /// Commands without a job file are watched as well.
  @Test func stoppedRankOfAnEvaluation() throws {
    let folder = try TemporaryDirectory("watchdog")
    try Python.text(
      """
      import h5py, numpy as np, os
      with h5py.File("part-0.h5", "w") as file:
          x = np.random.default_rng(1).normal(size=(20_000, 50)).astype("f4")
          file["features"] = x; file["targets"] = x[:, 0]
      for i in range(1, 80): os.link("part-0.h5", f"part-{i}.h5")
      """, workingDirectory: folder.path)
    try folder.write(
      text: "{ data: { path: 'part-0.h5' }, model: { kind: 'linear' }, train: { steps: 1 }, output: 'run' }",
      to: "job.json")
    try CommandLineRun.succeed(["train", "job.json"], ranks: 2, in: folder)
    let running = try MPILauncher.start(
      ranks: 2, Binaries.apus, ["evaluate", "run", "part-*.h5", "--watchdog", "4"], options: CommandLineRun.impatient,
      workingDirectory: folder.path)
    // Both ranks have said something: a line each.
    let begun = running.wait {
      guard let name = try? folder.names(in: "run").first(where: { $0.hasPrefix(".beats-") }) else { return false }
      return ((try? folder.readText("run/\(name)")) ?? "").filter { $0 == "\n" }.count == 2
    }
    #expect(begun)
    kill(try CommandLineRun.process(ofRank: 1, in: running), SIGSTOP)
    let result = running.wait()
    #expect(!result.timedOut && result.exitCode == 76, "\(result)")
    let report = result.messages.first ?? ""
    #expect(report.contains("rank 1 (host ") && report.contains("stopped by a signal"), "\(result)")
    // One that goes on to its end leaves nothing behind, and takes away what was left long ago.
    #expect(try folder.names(in: "run").contains { $0.hasPrefix(".beats-") })
    _ = try Run.shell("touch -d '20 minutes ago' run/.beats-*", workingDirectory: folder.path)
    try CommandLineRun.succeed(["evaluate", "run", "part-0.h5", "--watchdog", "60"], ranks: 2, in: folder)
    #expect(try !folder.names(in: "run").contains { $0.hasPrefix(".beats") })
  }

  /// What is no file, and never ends, is not waited for.
  @Test(arguments: [
    (["train", "pipe"], 74), (["evaluate", "pipe", "data"], 74), (["train", "job.json"], 65),
    (["inspect", "pipe"], 74),
    (["prepare", "pipe.csv", "--target", "y", "--output", "made"], 66),
  ])
  func pipesAreNotWaitedFor(_ arguments: [String], _ code: Int) throws {
    let folder = try TemporaryDirectory("pipes")
    _ = try Run.shell("mkfifo pipe pipe.csv", workingDirectory: folder.path)
    try folder.write(text: "{ data: { path: 'pipe' }, model: { kind: 'linear' }, output: 'run' }", to: "job.json")
    let result = try CommandLineRun.apus(arguments, ranks: arguments[0] == "inspect" ? 0 : 2, in: folder)
    #expect(!result.timedOut && result.duration < Patience.seconds && result.exitCode == Int32(code), "\(result)")
    #expect(result.messages.count == 1, "\(result)")
  }

  @Test func noLimitNoWatchdog() throws {
    let off = Self.limits.replacing(/: [0-9]+/, with: ": 0")
    let training = try training(off)
    let running = try training.running(ranks: 2)
    let process = try CommandLineRun.process(ofRank: 1, in: running)
    kill(process, SIGSTOP)
    usleep(3_000_000)
    #expect(running.isRunning && !training.folder.contains("run/.beats"))
    kill(process, SIGCONT)
    kill(running.processIdentifier, SIGUSR1)
    #expect(running.wait().exitCode == 75)
  }
}
