import Foundation
import TestSupport
import Testing

/// The same training on any number of ranks.
@Suite struct BitsTests {
  /// Model and log are equal bit for bit; with a clipped gradient and a last batch that is not full.
  @Test func orderedTrainingIsTheSameOnOneToFourRanks() throws {
    let digits = try DigitsTraining()
    let job = try digits.job(
      "job", optimizer: #"kind: "adam", learning_rate: 5e-3"#, train: "epochs: 3, batch_size: 50, clip_norm: 1.5",
      more: "parallel: { virtual_ranks: 12 }")
    let one = try digits.train(job, ranks: 1, output: "ranks-1")
    let log = try one.log
    #expect(log.steps.map(\.step) == Array(1...3 * 29))
    #expect(log.steps.last?.samples == 3 * 1438)
    #expect(log.validations.map(\.step) == [29, 58, 87])
    #expect((log.validations.last?.validationAccuracy ?? 0) > 0.8)
    for ranks in 2...4 {
      let run = try digits.train(job, ranks: ranks, output: "ranks-\(ranks)")
      #expect(try run.model == one.model, "model of \(ranks) ranks")
      #expect(try run.log.steps == log.steps, "log of \(ranks) ranks")
      #expect(try run.log.validations == log.validations, "validations of \(ranks) ranks")
    }
    // Another number of virtual ranks is another training, so equality above means something.
    let other = try digits.train(job, ranks: 1, output: "other", options: ["--set", "parallel.virtual_ranks=11"])
    #expect(try other.tensors != one.tensors)
  }

  /// A full batch of many virtual ranks goes through in passes of bounded size, however the ranges divide.
  @Test(arguments: [(1438, 1), (1438, 2), (3, 1)]) func fullBatchesOfManyVirtualRanks(virtualRanks: Int, ranks: Int)
    throws
  {
    let digits = try DigitsTraining()
    let job = try digits.job(
      "job", optimizer: #"kind: "sgd", learning_rate: 0.1"#, train: "steps: 4, batch_size: \"full\"")
    let virtual = ["--set", "parallel.virtual_ranks=\(virtualRanks)", "--set", "train.log_every=1"]
    let ordered = try digits.train(job, ranks: ranks, output: "ordered", options: virtual)
    let fast = try digits.train(
      job, ranks: ranks, output: "fast", options: virtual + ["--set", "parallel.reduction=fast"])
    let pairs = zip(try ordered.log.steps, try fast.log.steps)
    #expect(try fast.log.steps.count == 4 && ordered.log.steps.count == 4)
    for (one, other) in pairs { #expect(abs(one.loss - other.loss) <= 1e-5 * abs(one.loss)) }
  }

  /// Ranks without a virtual rank take part and change nothing; micro-batches are the same everywhere.
  @Test func moreRanksThanVirtualRanks() throws {
    let digits = try DigitsTraining()
    let job = try digits.job(
      "job", optimizer: #"kind: "rmsprop", learning_rate: 1e-3"#, train: "steps: 40, batch_size: 64",
      more: "parallel: { virtual_ranks: 3, micro_batches: 2 }")
    let one = try digits.train(job, ranks: 1, output: "ranks-1")
    let five = try digits.train(job, ranks: 5, output: "ranks-5")
    #expect(try five.model == one.model)
    #expect(try five.log.steps == one.log.steps)
    #expect(try five.log.validations == one.log.validations)
  }

  /// `fast` may add in any order: its losses stay within 1e-5 of those of `ordered` over 50 steps.
  @Test func fastStaysCloseToOrdered() throws {
    let digits = try DigitsTraining()
    let job = try digits.job(
      "job", optimizer: #"kind: "adam", learning_rate: 1e-3"#, train: "steps: 50, batch_size: 128",
      more: "parallel: { virtual_ranks: 12 }")
    let ordered = try digits.train(job, ranks: 2, output: "ordered").log
    for ranks in [1, 2, 3, 4, 14] {
      let fast = try digits.train(
        job, ranks: ranks, output: "fast-\(ranks)", options: ["--set", "parallel.reduction=fast"]
      ).log
      #expect(fast.steps.map(\.samples) == ordered.steps.map(\.samples))
      for (one, other) in zip(fast.steps, ordered.steps) {
        #expect(
          abs(one.loss - other.loss) <= 1e-5 * other.loss,
          "\(ranks) ranks, step \(one.step): \(one.loss) and \(other.loss)")
      }
    }
  }

  /// The model of a training that stopped early has the parameters of its best validation, which is not the last.
  @Test func earlyStoppingKeepsTheBestParameters() throws {
    let digits = try DigitsTraining()
    let job = try digits.job(
      "job", optimizer: #"kind: "momentum", learning_rate: 0.3"#, train: "epochs: 20, batch_size: 30",
      more: "parallel: { virtual_ranks: 4 }")
    let stopped = try digits.train(
      job, ranks: 2, output: "stopped", options: ["--set", "train.early_stopping.patience=2"])
    let validations = try stopped.log.validations
    let best = try #require(validations.min { $0.validationLoss < $1.validationLoss })
    #expect(validations.count == validations.firstIndex(of: best).map { $0 + 3 })
    let short = try digits.train(
      job, ranks: 1, output: "short", options: ["--set", "train.epochs=null", "--set", "train.steps=\(best.step)"])
    #expect(try stopped.tensors == short.tensors)
  }
}
