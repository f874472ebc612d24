import TestSupport
import Testing

/// Models on grids of ranks, run under `mpirun`.
@Suite struct LayoutTests {
  /// Ranks, stages, tensor ranks; what is left is the data degree.
  private static let grids = [
    (1, 1, 1), (2, 1, 1), (3, 1, 1), (2, 2, 1), (4, 2, 1), (6, 2, 1), (3, 3, 1), (4, 4, 1), (8, 8, 1), (2, 1, 2),
    (3, 1, 3), (4, 1, 4), (4, 2, 2), (8, 2, 2),
  ]

  private func run(
    _ names: String..., on ranks: Int, _ pipeline: Int, _ tensor: Int, options: [String] = [],
    environment: [String: String] = [:]
  ) throws -> RunResult {
    try TemporaryDirectory.with { directory in
      let result = try MPILauncher.run(
        ranks: ranks, Binaries.rankCases, names.map { "\($0)-\(pipeline)x\(tensor)" }, options: options,
        environment: environment.merging(["APUS_SCRATCH": directory.path]) { $1 })
      #expect(result.exitCode == 0, "\(ranks) ranks: \(result)")
      return result
    }
  }

  /// Parameters, losses, norms and scores are those of one rank: bit for bit for any pipeline and data degree under `ordered`. Flags reach
  /// every rank. And every rank learns that a rank cannot read; none waits for ever.
  @Test(arguments: grids) func ranksWorkAsOne(ranks: Int, pipeline: Int, tensor: Int) throws {
    _ = try run("layout", "flags", "unreadable", on: ranks, pipeline, tensor)
  }

  @Test(arguments: [(6, 3, 1), (8, 4, 1), (12, 4, 1)])
  func trainingIsThatOfOneRank(ranks: Int, pipeline: Int, tensor: Int) throws {
    _ = try run("layout", on: ranks, pipeline, tensor)
  }

  /// Rounded sums between nodes: the same parameters on all ranks, like those of one rank, whatever the messages.
  @Test(arguments: [(1, 1), (2, 1), (3, 1), (4, 1), (4, 2)])
  func roundedSumsTrainAlike(ranks: Int, pipeline: Int) throws { _ = try run("wire", on: ranks, pipeline, 1) }

  /// Messages and bytes are those of the formula, rank by rank.
  @Test(arguments: grids) func messagesAreThoseOfThePlan(ranks: Int, pipeline: Int, tensor: Int) throws {
    try TemporaryDirectory.with { directory in
      let counter = try MPICounter(in: directory)
      let found = try [2, 5].map { steps in
        let result = try run(
          "traffic", on: ranks, pipeline, tensor, options: counter.options, environment: ["APUS_STEPS": "\(steps)"])
        let planned = result.outputLines.map { $0.split(separator: " ").compactMap { Int($0) } }
        return (planned, MPICounter.counts(in: result.standardError, ranks: ranks))
      }
      try #require(found[0].0.count == ranks && found[0].0 == found[1].0)
      for rank in 0..<ranks {
        let numbers = (found[1].1[rank] - found[0].1[rank]).totals
        #expect(numbers == found[0].0[rank].map { 3 * $0 }, "rank \(rank) of \(ranks)")
      }
    }
  }
}
