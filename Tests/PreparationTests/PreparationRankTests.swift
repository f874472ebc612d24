import TestSupport
import Testing

/// What ranks make of a table together, run under `mpirun`, is what one makes of it.
@Suite struct PreparationRankTests {
  private func output(_ name: String, ranks: Int) throws -> [String] {
    try TestSupport.TemporaryDirectory.with { directory in
      let result = try MPILauncher.run(
        ranks: ranks, Binaries.rankCases, [name], environment: ["APUS_SCRATCH": directory.path])
      #expect(result.exitCode == 0, "\(result)")
      return result.outputLines
    }
  }

  /// Line ends in quotes that look like rows stand across the borders of the ranks' parts.
  @Test(arguments: [("preparedBytes", 4), ("sampledBytes", 3), ("plannedTables", 3), ("tableErrors", 24)])
  func ranksDoNotMatter(name: String, lines: Int) throws {
    let one = try output(name, ranks: 1)
    #expect(one.count == lines)
    for ranks in 2...4 { #expect(try output(name, ranks: ranks) == one, "\(ranks) ranks") }
  }
}
