import TestSupport
import Testing

/// What ranks compute together, run under `mpirun`.
@Suite struct RankCaseTests {
  private func output(_ name: String, ranks: Int) throws -> [String] {
    try TemporaryDirectory.with { directory in
      let result = try MPILauncher.run(
        ranks: ranks, Binaries.rankCases, [name], environment: ["APUS_SCRATCH": directory.path])
      #expect(result.exitCode == 0, "\(result)")
      return result.outputLines
    }
  }

  /// An epoch over seven uneven shards visits every row exactly once, and each step sees the same rows, on any number of ranks.
  @Test func everyRowIsVisitedOnceAnEpoch() throws {
    let one = try output("epochCoverage", ranks: 1)
    #expect(one.count == 2 * 5 * 3)
    for ranks in 2...5 { #expect(try output("epochCoverage", ranks: ranks) == one, "\(ranks) ranks") }
  }

  /// Windows that a thread reads ahead: the same rows in the same steps on any number of ranks.
  @Test func threadsReadEveryRowOnce() throws {
    let one = try output("readAheadCoverage", ranks: 1)
    #expect(!one.isEmpty)
    for ranks in 2...4 { #expect(try output("readAheadCoverage", ranks: ranks) == one, "\(ranks) ranks") }
  }

  @Test(arguments: 1...4)
  func aThreadThatFailsIsItsRanksFailure(ranks: Int) throws { _ = try output("readAheadFailure", ranks: ranks) }

  /// Gradient, loss and count of steps are the same bits on any number of ranks, also where some have nothing to do.
  @Test func orderedGradientsAreEqualBitForBit() throws {
    let one = try output("gradientBits", ranks: 1)
    #expect(Set(one.map { $0.split(separator: " ").last }).count == 8)
    for ranks in [2, 3, 4, 5, 8] { #expect(try output("gradientBits", ranks: ranks) == one, "\(ranks) ranks") }
  }

  @Test(arguments: [1, 2, 3, 5]) func gradientsAreThoseOfAllRowsTogether(ranks: Int) throws {
    _ = try output("gradientValues", ranks: ranks)
  }

  @Test(arguments: [1, 2, 3, 5]) func flagsReachEveryRank(ranks: Int) throws {
    _ = try output("raisedFlags", ranks: ranks)
  }

  /// A rank that fails while its gradient is on the way meets the others, and tells them.
  @Test(arguments: [1, 2, 3]) func failuresReachEveryRank(ranks: Int) throws {
    _ = try output("overlapFailures", ranks: ranks)
  }

  /// What rounding leaves out of a message is in the next one, unless the step was of no use.
  @Test(arguments: 1...4) func roundedSumsLoseNothing(ranks: Int) throws {
    for name in ["wireFeedback", "wireAfterFailure"] { _ = try output(name, ranks: ranks) }
  }

  /// Parts of layers: sums in the order of the ranks, the same bits everywhere, and a training as that of the whole model.
  @Test(arguments: [1, 2, 3, 4]) func partsOfLayersAddUp(ranks: Int) throws {
    for name in ["tensorSums", "tensorGathers", "tensorTraining"] { _ = try output(name, ranks: ranks) }
  }
}
