import Foundation
import Glibc
import TestSupport
import Testing

/// A training that is interrupted and goes on, on other numbers of ranks, ends as one that was not.
@Suite struct ResumeTests {
  /// How a training ends before its end.
  enum Interruption: Sendable {
    /// SIGUSR1 to `mpirun`, as Slurm sends it: the state is saved.
    case signal
    /// kill -9 of a rank: what was done since the last checkpoint is lost.
    case kill
  }

  struct Case: Sendable, CustomTestStringConvertible {
    var optimizer: String
    var virtualRanks: Int
    /// The ranks of each start; all but the last are interrupted.
    var ranks: [Int]
    var interruptions: [Interruption]
    var stopsEarly = false

    var testDescription: String { optimizer }
  }

  static let cases = [
    Case(
      optimizer: #"kind: "adam", learning_rate: 3e-3"#, virtualRanks: 12, ranks: [2, 3, 1],
      interruptions: [.signal, .kill], stopsEarly: true),
    Case(
      optimizer: #"kind: "momentum", learning_rate: 5e-2"#, virtualRanks: 12, ranks: [1, 4, 2],
      interruptions: [.kill, .signal]),
    // The number of virtual ranks is that of the first start: here that of the shards.
    Case(
      optimizer: #"kind: "ftrl", learning_rate: 0.1"#, virtualRanks: 0, ranks: [3, 2, 4],
      interruptions: [.signal, .signal]),
  ]

  /// Early stopping and the schedule `plateau` go on from where they were as well; job scripts always pass `--resume`.
  @Test(arguments: cases) func interruptedTrainingEndsAsOneThatWasNot(_ one: Case) throws {
    let digits = try DigitsTraining()
    let job = try digits.job(
      "job", optimizer: one.optimizer, train: "epochs: 30, batch_size: 30, early_stopping: { patience: 3 }",
      more: """
        schedule: { kind: "plateau", factor: 0.5, patience: 0 },
        parallel: { virtual_ranks: \(one.virtualRanks) },
        checkpoint: { every_steps: 7, every_seconds: 0 },
        """)
    let whole = try digits.train(job, ranks: 1, output: "whole")
    let log = try whole.log
    let total = log.steps.count
    #expect(Set(log.steps.map(\.learningRate)).count > 1, "the schedule must do something to be of use here")
    #expect(!one.stopsEarly || total < 30 * 48)

    // On a busy machine a training may end before the interruption comes; then it is tried once more.
    for attempt in 1...4 {
      let run = DigitsRun(digits.directory.file("run-\(attempt)"))
      guard let story = try interrupt(digits, job, run, one) else { continue }
      // Once more after the end: everything is there already.
      for ranks in [one.ranks[2], 1] {
        _ = try digits.train(job, ranks: ranks, output: "run-\(attempt)", options: ["--resume"])
        #expect(try run.model == whole.model, "\(story)")
        #expect(try run.log.steps == log.steps, "\(story)")
        #expect(try run.log.validations == log.validations, "\(story)")
        #expect(run.checkpoints == whole.checkpoints && run.checkpoints.last == Self.checkpoint(total), "\(story)")
      }
      return
    }
    Issue.record("four trainings ended before they could be interrupted")
  }

  /// Starts the training again and again, and interrupts it at random steps.
  /// - Returns: what happened, for messages; nil where the training ended first.
  private func interrupt(_ digits: DigitsTraining, _ job: String, _ run: DigitsRun, _ one: Case) throws -> [String]? {
    var story: [String] = []
    for (ranks, interruption) in zip(one.ranks, one.interruptions) {
      let step = TrainingLog.lastStep(run.path) + Int.random(in: 20...120)
      story.append("\(ranks) ranks, \(interruption) after step \(step)")
      let result = try interrupt(digits, job, run, ranks: ranks, after: step, interruption)
      if result.exitCode == 0 { return nil }
      try #require(result.exitCode == (interruption == .signal ? 75 : 137), "\(story): \(result)")
      #expect(!run.checkpoints.isEmpty && !FileManager.default.fileExists(atPath: run.path + "/model.safetensors"))
      if interruption == .signal {
        #expect(run.checkpoints.last == Self.checkpoint(TrainingLog.lastStep(run.path)), "\(story)")
        #expect(result.standardOutput.contains("--resume"), "\(result)")
      }
    }
    return story
  }

  /// A checkpoint that was damaged is passed over, with a warning; the one before it serves.
  @Test func damagedCheckpointIsPassedOver() throws {
    let digits = try DigitsTraining()
    let job = try digits.job(
      "job", optimizer: #"kind: "adamw", learning_rate: 1e-3"#, train: "steps: 25, batch_size: 100",
      more: "parallel: { virtual_ranks: 6 }, checkpoint: { every_steps: 10, every_seconds: 0 }")
    let run = try digits.train(job, ranks: 2, output: "run")
    let model = try run.model
    let log = try run.log
    let damaged = run.path + "/checkpoints/" + Self.checkpoint(25) + "/optimizer.safetensors"
    var bytes = try Data(contentsOf: URL(fileURLWithPath: damaged))
    bytes[bytes.count / 2] ^= 0x10
    try bytes.write(to: URL(fileURLWithPath: damaged))

    let result = try MPILauncher.run(ranks: 3, Binaries.apus, digits.arguments(job, run, ["--resume"]))
    #expect(result.exitCode == 0, "\(result)")
    #expect(result.standardError.contains("warning") && result.standardError.contains(damaged), "\(result)")
    #expect(result.standardError.contains("resumed after step 20"), "\(result)")
    #expect(try run.model == model)
    #expect(try run.log.steps == log.steps)
  }

  /// A training that has ended is a beginning of a longer one, which is the same as if it had been that long from the start.
  @Test func aLongerTrainingGoesOnFromTheEnd() throws {
    let digits = try DigitsTraining()
    let job = try digits.job(
      "job", optimizer: #"kind: "nesterov", learning_rate: 0.05"#, train: "steps: 40, batch_size: 100",
      more: "parallel: { virtual_ranks: 5 }")
    let whole = try digits.train(job, ranks: 2, output: "whole")
    _ = try digits.train(job, ranks: 1, output: "run", options: ["--set", "train.steps=21"])
    let run = try digits.train(job, ranks: 3, output: "run", options: ["--resume"])
    #expect(try run.model == whole.model)
    #expect(try run.log.steps == whole.log.steps)
  }

  private static func checkpoint(_ step: Int) -> String {
    let digits = String(step)
    return "step-" + String(repeating: "0", count: 9 - digits.count) + digits
  }

  /// Starts the training, waits until its log has reached `step`, and interrupts it.
  private func interrupt(
    _ digits: DigitsTraining, _ job: String, _ run: DigitsRun, ranks: Int, after step: Int, _ interruption: Interruption
  ) throws -> RunResult {
    let program = try MPILauncher.start(
      ranks: ranks, Binaries.apus, digits.arguments(job, run, ["--resume"]),
      options: interruption == .kill ? MPILauncher.impatient : [])
    while TrainingLog.lastStep(run.path) < step, program.isRunning { usleep(500) }
    switch interruption {
    case .signal: program.send(SIGUSR1)
    case .kill:
      let victims = program.descendants.filter { process in
        (try? String(contentsOfFile: "/proc/\(process)/comm", encoding: .utf8)) == "apus\n"
      }
      if let victim = victims.randomElement() { kill(victim, SIGKILL) }
    }
    return program.wait()
  }
}
