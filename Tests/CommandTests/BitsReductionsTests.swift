import Foundation
import TestSupport
import Testing

/// What the ranks say to each other in a step, counted between them and the MPI library.
@Suite struct BitsReductionsTests {
  /// Collectives by name; the checks of debug builds use a call of their own (`MPI_Iallgather`), which is not counted.
  typealias Counts = [String: Int]

  /// One reduction a step carries gradient, loss, count and flags: one `MPI_Allreduce` under `fast`; under `ordered` rank 0 sends
  /// every other rank its slice of each piece of the tree that it holds, and the sums are gathered once.
  @Test(arguments: [
    ("fast", 2, ["MPI_Allreduce": 1]), ("fast", 3, ["MPI_Allreduce": 1]),
    ("ordered", 1, [:]),
    // 12 virtual ranks are one piece of 4 a rank on 3 ranks, and a piece of 4 and one of 2 a rank on 2 ranks.
    ("ordered", 3, ["MPI_Isend": 2, "MPI_Allgatherv": 1]),
    ("ordered", 2, ["MPI_Isend": 2, "MPI_Allgatherv": 1]),
  ])
  func collectivesOfAStep(reduction: String, ranks: Int, expected: Counts) throws {
    let digits = try DigitsTraining()
    let counter = try MPICounter(digits.directory)
    let job = try digits.job(
      "job", optimizer: #"kind: "adam""#, train: "batch_size: 50",
      more: """
        parallel: { virtual_ranks: 12, reduction: "\(reduction)" }, checkpoint: { every_seconds: 0 },
        """)
    let counts = try [10, 35].map { steps in
      let run = DigitsRun(digits.directory.file("run-\(steps)"))
      // Without validation: that has collectives of its own, between epochs.
      let result = try MPILauncher.run(
        ranks: ranks, Binaries.apus,
        digits.arguments(job, run, ["--set", "train.steps=\(steps)", "--set", "data.validation_split=null"]),
        options: counter.options)
      try #require(result.exitCode == 0, "\(result)")
      return MPICounter.counts(in: result.standardError, ranks: ranks)[0].mapValues(\.calls)
    }
    #expect(!counts[0].isEmpty)
    let more = counts[1].merging(counts[0]) { $0 - $1 }.filter { $0.value != 0 }
    #expect(more == expected.mapValues { 25 * $0 })
  }
}
