import Foundation
import TestSupport
import Testing

/// A training that goes on with its model spread over other ranks in another way.
@Suite struct ResumeLayoutTests {
  private static let layouts = [
    Layout(), Layout(data: 2), Layout(pipeline: 3), Layout(tensor: 2), Layout(data: 2, pipeline: 2, tensor: 2),
  ]

  /// From each layout into each: byte for byte as uninterrupted where no layer is cut, else within 1e-4.
  @Test(arguments: layouts) func goesOnInEveryLayout(from: Layout) throws {
    let digits = try DigitsTraining()
    let job = try digits.job(
      "job", optimizer: #"kind: "adam", learning_rate: 5e-3"#,
      train: "steps: 10, batch_size: 200, early_stopping: { patience: 9 }",
      more: """
        parallel: { virtual_ranks: 4, micro_batches: 2 }, checkpoint: { every_steps: 9, every_seconds: 0 },
        """, hidden: [24, 16])
    let whole = try digits.train(job, ranks: 1, output: "whole")
    let log = try whole.log
    #expect(log.steps.count == 10 && log.validations.map(\.step) == [8, 10])
    // The state is that of the middle of the second epoch, when a best validation is part of it: what came later is taken away.
    let begun = try digits.train(job, ranks: from.ranks, output: "begun", options: from.options)
    try #require(begun.checkpoints == ["step-000000009", "step-000000010"])
    for name in ["checkpoints/step-000000010", "model.safetensors"] {
      try FileManager.default.removeItem(atPath: begun.path + "/" + name)
    }
    for layout in Self.layouts {
      let name = "from-\(from.name)-to-\(layout.name)"
      try FileManager.default.copyItem(atPath: begun.path, toPath: digits.directory.file(name))
      let run = try digits.train(job, ranks: layout.ranks, output: name, options: layout.options + ["--resume"])
      let found = try run.log
      #expect(found.steps.map(\.step) == Array(1...10) && found.steps.map(\.samples) == log.steps.map(\.samples))
      #expect(run.checkpoints.last == whole.checkpoints.last)
      if from.tensor == 1, layout.tensor == 1 {
        #expect(try run.model == whole.model && found.steps == log.steps, "\(name)")
        #expect(try run.checkpointFiles.suffix(5) == whole.checkpointFiles.suffix(5), "\(name)")
      } else {
        found.expectCloseness(to: log, within: 1e-4)
      }
    }
  }

  /// An interruption in the middle of a pipeline, and a sharded optimizer that goes on unsharded.
  @Test func interruptedPipelineGoesOn() throws {
    let digits = try DigitsTraining()
    let job = try digits.job(
      "job", optimizer: #"kind: "ftrl", learning_rate: 0.1"#, train: "epochs: 12, batch_size: 100",
      more: "parallel: { virtual_ranks: 4, micro_batches: 2 }, checkpoint: { every_steps: 20, every_seconds: 0 }")
    let whole = try digits.train(job, ranks: 1, output: "whole")
    let layouts = [
      Layout(data: 2, pipeline: 2, shardsOptimizer: true), Layout(pipeline: 3), Layout(data: 3, shardsOptimizer: true),
    ]
    // On a busy machine a training may end before the interruption comes; then it is tried once more.
    var attempt = 0
    var run: DigitsRun
    repeat {
      attempt += 1
      run = DigitsRun(digits.directory.file("run-\(attempt)"))
    } while try attempt < 4 && !interrupt(digits, job, run, layouts.dropLast())
    let last = layouts[2]
    run = try digits.train(job, ranks: last.ranks, output: "run-\(attempt)", options: last.options + ["--resume"])
    #expect(attempt < 4, "no training could be interrupted")
    #expect(try run.model == whole.model && run.log.steps == whole.log.steps)
    #expect(try run.log.validations == whole.log.validations)
  }

  /// Starts a training in one layout after the other, and interrupts each.
  /// - Returns: whether none was over before.
  private func interrupt(_ digits: DigitsTraining, _ job: String, _ run: DigitsRun, _ layouts: [Layout]) throws -> Bool
  {
    for layout in layouts {
      let before = TrainingLog.lastStep(run.path)
      let program = try MPILauncher.start(
        ranks: layout.ranks, Binaries.apus, digits.arguments(job, run, layout.options + ["--resume"]))
      _ = program.wait { TrainingLog.lastStep(run.path) > before + 10 }
      program.send(SIGUSR1)
      let result = program.wait()
      if result.exitCode == 0 { return false }
      try #require(result.exitCode == 75, "\(result)")
    }
    return true
  }
}
