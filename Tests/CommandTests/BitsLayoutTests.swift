import Foundation
import TestSupport
import Testing

/// The same training however its layers are spread over ranks.
@Suite struct BitsLayoutTests {
  private static let pipelines = (1...4).flatMap { pipeline in
    (1...3).map { Layout(data: $0, pipeline: pipeline) }
  }

  /// Without memory that ranks share everything goes in messages.
  private static let plain = [
    Layout(data: 3, sharesMemory: false), Layout(data: 2, pipeline: 2, sharesMemory: false),
    Layout(data: 2, shardsOptimizer: true, sharesMemory: false),
    Layout(data: 3, shardsOptimizer: true, sharesMemory: false),
    Layout(data: 2, pipeline: 2, shardsOptimizer: true, sharesMemory: false),
    Layout(data: 3, pipeline: 3, shardsOptimizer: true, sharesMemory: false),
  ]

  /// A clipped gradient, several micro-batches, a last batch that is not full, validation, early stopping, and checkpoints.
  private func job(_ digits: DigitsTraining) throws -> String {
    try digits.job(
      "job", optimizer: #"kind: "adam", learning_rate: 5e-3"#,
      train: "epochs: 2, batch_size: 120, clip_norm: 1.5, early_stopping: { patience: 5 }",
      more: """
        parallel: { virtual_ranks: 6, micro_batches: 3 }, checkpoint: { every_steps: 7, every_seconds: 0, keep: 9 },
        """, hidden: [24, 20, 16])
  }

  /// Model, every file of every checkpoint, losses and validations are equal bit for bit to those of one rank.
  @Test func pipelinesAndShardedOptimizersAreOneRank() throws {
    let digits = try DigitsTraining()
    let job = try job(digits)
    let one = try digits.train(job, ranks: 1, output: "one")
    let log = try one.log
    #expect(log.steps.count == 24 && log.validations.count == 2 && one.checkpoints.count == 4)
    for layout in Self.pipelines + Self.plain {
      let run = try digits.train(job, ranks: layout.ranks, output: layout.name, options: layout.options)
      #expect(try run.model == one.model, "model of \(layout.name)")
      #expect(try run.log.steps == log.steps, "log of \(layout.name)")
      #expect(try run.log.validations == log.validations, "validations of \(layout.name)")
      #expect(try run.checkpointFiles == one.checkpointFiles, "checkpoints of \(layout.name)")
    }
  }

  /// A run goes on where ranks share memory and stopped where they do not, and the other way round.
  @Test func resumesWithAndWithoutSharedMemory() throws {
    let digits = try DigitsTraining()
    let job = try job(digits)
    let one = try digits.train(job, ranks: 1, output: "one")
    let steps = { (count: Int) in ["--set", "train.epochs=null", "--set", "train.steps=\(count)"] }
    let (shared, plain) = (Layout(data: 3), Layout(data: 2, sharesMemory: false))
    for (first, second) in [(shared, plain), (plain, shared)] {
      let output = "\(first.name)-\(second.name)"
      _ = try digits.train(job, ranks: first.ranks, output: output, options: first.options + steps(9))
      let run = try digits.train(
        job, ranks: second.ranks, output: output, options: second.options + steps(24) + ["--resume"])
      #expect(try run.tensors == one.tensors, "\(output)")
      #expect(try run.log.steps == one.log.steps, "\(output)")
    }
  }

  /// Stages as the job lists them, and more ranks than rows for them, change nothing either.
  @Test func listedStagesAndIdleRanks() throws {
    let digits = try DigitsTraining()
    let job = try job(digits)
    let short = ["--set", "train.epochs=null", "--set", "train.steps=5"]
    let one = try digits.train(job, ranks: 1, output: "one", options: short)
    for (ranks, stages) in [(2, "[1,3]"), (2, "[3,1]"), (3, "[1,1,2]"), (6, "[2,1,1]")] {
      let run = try digits.train(
        job, ranks: ranks, output: "run-\(stages)", options: short + ["--set", "parallel.stages=\(stages)"])
      #expect(try run.model == one.model && run.log.steps == one.log.steps, "\(stages) on \(ranks) ranks")
    }
    // 7 copies of the model for 6 virtual ranks.
    let idle = try digits.train(
      job, ranks: 14, output: "idle", options: short + ["--set", "parallel.pipeline=2"])
    #expect(try idle.model == one.model && idle.log.steps == one.log.steps)
  }

  /// Sums over the parts of a layer are in another order than over the whole: close, but not equal.
  @Test(arguments: [
    Layout(tensor: 2), Layout(tensor: 3), Layout(tensor: 4), Layout(data: 2, pipeline: 2, tensor: 2),
    Layout(data: 2, tensor: 2, shardsOptimizer: true),
  ])
  func tensorSplitsStayClose(_ layout: Layout) throws {
    let digits = try DigitsTraining()
    let job = try job(digits)
    let one = try digits.train(job, ranks: 1, output: "one").log
    let log = try digits.train(job, ranks: layout.ranks, output: "split", options: layout.options).log
    log.expectCloseness(to: one, within: 1e-4)
    #expect(log.steps.map(\.loss) != one.steps.map(\.loss), "other bits, or the layers were not split")
  }
}
