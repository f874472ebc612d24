import TestSupport
import Testing

/// Checkpoints and models that several ranks write together.
@Suite struct SharedFilesTests {
  /// Whichever system call of whichever rank fails: all ranks say the same, and what is there is whole.
  @Test func everyCallOfEveryRankMayFail() throws {
    try TemporaryDirectory.with { directory in
      let result = try MPILauncher.run(
        ranks: 3, Binaries.rankCases, ["faultyWrites"], environment: ["APUS_SCRATCH": directory.path],
        timeout: .seconds(300))
      #expect(result.exitCode == 0, "\(result)")
    }
  }
}
