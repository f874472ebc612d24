import Foundation
import TestSupport
import Testing

/// What the ranks say to each other in a step, counted between them and the MPI library.
@Suite struct BitsReductionsTests {
  /// One reduction a step carries gradient, loss, count and flags: one `MPI_Allreduce` under `fast`; under `ordered` rank 0 sends
  /// every other rank its slice of each piece of the tree that it holds, and the sums are gathered once. Ranks that share memory say
  /// nothing.
  @Test(arguments: [
    ("fast", 2, false, ["MPI_Allreduce": 1]), ("fast", 3, false, ["MPI_Allreduce": 1]),
    ("ordered", 1, false, [:]), ("ordered", 2, true, [:]), ("fast", 3, true, [:]),
    // 12 virtual ranks are one piece of 4 a rank on 3 ranks, and a piece of 4 and one of 2 a rank on 2 ranks.
    ("ordered", 3, false, ["MPI_Isend": 2, "MPI_Allgatherv": 1]),
    ("ordered", 2, false, ["MPI_Isend": 2, "MPI_Allgatherv": 1]),
  ])
  func collectivesOfAStep(reduction: String, ranks: Int, sharesMemory: Bool, expected: [String: Int]) throws {
    let digits = try DigitsTraining()
    let counter = try MPICounter(in: digits.directory)
    let job = try digits.job(
      "job", optimizer: #"kind: "adam""#, train: "batch_size: 50",
      more: """
        parallel: { virtual_ranks: 12, reduction: "\(reduction)", shared_memory: \(sharesMemory) }, checkpoint: { every_seconds: 0 },
        """)
    let counts = try [10, 35].map { steps in
      try train(counter, Self.arguments(digits, job, steps), ranks: ranks, of: 0..<1)
    }
    #expect((counts[1] - counts[0]).calls == expected.mapValues { 25 * $0 })
  }

  /// Trains, and says what the ranks in `counted` have said together.
  private func train(
    _ counter: MPICounter, _ arguments: [String], ranks: Int, of counted: Range<Int>
  ) throws -> MPICounter.Counts {
    let result = try MPILauncher.run(ranks: ranks, Binaries.apus, arguments, options: counter.options)
    try #require(result.exitCode == 0, "\(result)")
    let counts = MPICounter.counts(in: result.standardError, ranks: ranks)
    try #require(counts.allSatisfy { !$0.calls.isEmpty })
    return counts[counted].reduce(MPICounter.Counts(), +)
  }

  /// Without validation: that has messages of its own, between epochs.
  private static func arguments(_ digits: DigitsTraining, _ job: String, _ steps: Int) -> [String] {
    digits.arguments(
      job, DigitsRun(digits.directory.file("run-\(steps)")),
      ["--set", "train.steps=\(steps)", "--set", "data.validation_split=null"])
  }

  /// Every message of every rank, and every byte of it, is one that `--dry-run` has announced.
  @Test(arguments: [
    (Layout(data: 3), "ordered", 1.0), (Layout(data: 2, pipeline: 2), "fast", 0),
    (Layout(data: 3, sharesMemory: false), "ordered", 0), (Layout(data: 3, sharesMemory: false), "fast", 0),
    (Layout(data: 2, shardsOptimizer: true, sharesMemory: false), "ordered", 1),
    (Layout(data: 3, shardsOptimizer: true, sharesMemory: false), "fast", 0), (Layout(pipeline: 3), "ordered", 1),
    (Layout(data: 2, pipeline: 2, sharesMemory: false), "ordered", 0), (Layout(tensor: 2), "ordered", 1),
    (Layout(tensor: 3), "fast", 0),
    (Layout(data: 2, pipeline: 2, tensor: 2), "ordered", 1),
    (Layout(data: 2, pipeline: 2, tensor: 2, shardsOptimizer: true, sharesMemory: false), "fast", 1),
  ])
  func aStepMovesWhatThePlanSays(layout: Layout, reduction: String, clipNorm: Double) throws {
    let digits = try DigitsTraining()
    let counter = try MPICounter(in: digits.directory)
    let job = try digits.job(
      "job", optimizer: #"kind: "adam""#, train: "batch_size: 96, clip_norm: \(clipNorm)",
      more: """
        parallel: { virtual_ranks: 4, micro_batches: 3, reduction: "\(reduction)" }, checkpoint: { every_seconds: 0 },
        """)
    // Steps of one epoch, which all have 24 rows a virtual rank. (Of one digit: the job itself is a message too.)
    let counts = try [2, 9].map { steps in
      try train(counter, Self.arguments(digits, job, steps) + layout.options, ranks: layout.ranks, of: 0..<layout.ranks)
    }
    let found = counts[1] - counts[0]
    let plan = try MPILauncher.run(
      ranks: layout.ranks, Binaries.apus, Self.arguments(digits, job, 99) + layout.options + ["--dry-run"])
    let line = try #require(plan.outputLines.first { $0.hasPrefix("a step moves ") }, "\(plan)")
    let numbers = line.replacing(",", with: "").split(separator: " ").compactMap { Int($0) }
    #expect(numbers.map { 7 * $0 } == found.totals, "\(line): \(found)")
    #expect(numbers.count == 4 && numbers.contains { $0 > 0 })
  }
}
