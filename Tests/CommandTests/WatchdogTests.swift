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
    let result = running.wait(timeout: .seconds(60))
    let seconds = (ContinuousClock.now - since).inSeconds
    #expect(!result.timedOut && result.exitCode == 76, "\(result)")
    #expect(seconds > 4 && seconds < 10, "\(seconds) s\n\(result)")
    let report = result.messages.first { $0.contains("watchdog.") } ?? ""
    #expect(report.contains("rank \(rank) (host ") && report.contains("process \(process)) hangs"), "\(result)")
    #expect(report.contains("stopped by a signal"), "\(result)")
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

  /// Each rank in turn stands still for half of what it may.
  @Test func pausesAreNoStall() throws {
    let training = try training()
    let running = try training.running()
    for rank in [0, 1, 2, 1] {
      let process = try CommandLineRun.process(ofRank: rank, in: running)
      kill(process, SIGSTOP)
      usleep(2_000_000)
      kill(process, SIGCONT)
      usleep(500_000)
    }
    #expect(running.isRunning)
    #expect(training.folder.contains("run/.beats"))
    let mpirun = running.processIdentifier
    kill(mpirun, SIGUSR1)
    let result = running.wait(timeout: .seconds(20))
    #expect(result.exitCode == 75 && !result.standardError.contains("watchdog"), "\(result)")
    #expect(!training.folder.contains("run/.beats"))
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
    #expect(running.wait(timeout: .seconds(20)).exitCode == 75)
  }
}
