import Foundation
import Glibc
import TestSupport
import Testing

/// A training in a folder of its own that goes on for ever and saves every five steps, so that something can be done to its ranks.
struct EndlessTraining {
  let folder: TemporaryDirectory

  /// - Parameter settings: the rest of its job file.
  init(_ name: String, _ settings: String) throws {
    folder = try TemporaryDirectory(name)
    let job = """
      { data: { path: "\(BadInputFiles.shared.path("good"))" }, train: { epochs: 1000000, batch_size: 32 },
        checkpoint: { every_steps: 5, every_seconds: 0 }, output: "run", \(settings) }
      """
    try folder.write(text: job, to: "job.json")
  }

  var arguments: [String] { ["train", folder.file("job.json")] }

  /// The last step in its log.
  var lastStep: Int { TrainingLog.lastStep(folder.file("run")) }

  /// The training, from the moment when it has saved its first checkpoints.
  func running(_ more: [String] = [], ranks: Int = 3) throws -> RunningProgram {
    let running = try MPILauncher.start(
      ranks: ranks, Binaries.apus, arguments + more, options: CommandLineRun.impatient, workingDirectory: folder.path)
    // The first of them may be gone again before anybody looks.
    let saved = running.wait {
      ((try? folder.names(in: "run/checkpoints")) ?? []).contains { $0.hasPrefix("step-") && $0 >= "step-000000010" }
    }
    #expect(saved)
    return running
  }

  /// Kills a rank: all others end in time.
  func kill(rank: Int, of running: RunningProgram, sourceLocation: SourceLocation = #_sourceLocation) throws {
    let process = try CommandLineRun.process(ofRank: rank, in: running)
    let since = ContinuousClock.now
    Glibc.kill(process, SIGKILL)
    let result = running.wait()
    #expect(ContinuousClock.now - since < Patience.seconds, "\(result)", sourceLocation: sourceLocation)
    #expect(!result.timedOut && result.exitCode == 137, "\(result)", sourceLocation: sourceLocation)
    CommandLineRun.expectNoProcess(of: folder, sourceLocation: sourceLocation)
  }

  /// Makes one step more from the newest checkpoint, which is whole as every one that has its name.
  @discardableResult
  func resume(
    _ more: [String] = [], ranks: Int, sourceLocation: SourceLocation = #_sourceLocation
  ) throws -> (step: Int, result: RunResult) {
    let newest = try #require(
      try folder.names(in: "run/checkpoints").last { $0.hasPrefix("step-") }, sourceLocation: sourceLocation)
    let step = try #require(Int(newest.dropFirst("step-".count)), sourceLocation: sourceLocation)
    let result = try CommandLineRun.succeed(
      arguments + ["--resume"] + more + ["--set", "train.steps=\(step + 1)"], ranks: ranks, in: folder,
      sourceLocation: sourceLocation)
    #expect(!result.standardError.contains("warning"), "\(result)", sourceLocation: sourceLocation)
    #expect(result.standardError.contains("resumed after step"), "\(result)", sourceLocation: sourceLocation)
    return (step, result)
  }
}
