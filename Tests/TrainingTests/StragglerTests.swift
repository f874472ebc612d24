import Testing
import Watch

@testable import Training

/// Which ranks count as slow.
struct StragglerTests {
  private func times(
    _ rank: (reading: Double, computing: Double), group: Int = 0, share: Int = 1, elapsed: Double = 10
  ) -> Straggler.Times {
    Straggler.Times(group: group, share: share, reading: rank.reading, computing: rank.computing, elapsed: elapsed)
  }

  @Test func slowRankIsFoundWithItsRatioAndPhase() throws {
    let found = Straggler.find(in: [times((1, 3)), times((1, 3)), times((1, 8)), times((1, 3.2))])
    #expect(found.map(\.rank) == [2] && found[0].phase == .step)
    #expect(abs(found[0].ratio - 2.25) < 1e-12)
    let reading = Straggler.find(in: [times((1, 3)), times((7, 3))])
    #expect(reading.map(\.rank) == [1] && reading[0].phase == .reading && reading[0].ratio == 2.5)
  }

  @Test func moreRowsAreNoSlowness() {
    #expect(Straggler.find(in: [times((1, 3), share: 1), times((2, 6), share: 2)]).isEmpty)
    #expect(!Straggler.find(in: [times((1, 3), share: 2), times((2, 6), share: 2)]).isEmpty)
  }

  @Test func onlyRanksWithTheSameWorkAreCompared() {
    // Two stages of a pipeline, of which one has more to do, and a rank without rows.
    let stages = [times((1, 1), group: 0), times((1, 8), group: 1), times((1, 1), group: 0), times((1, 8), group: 1)]
    #expect(Straggler.find(in: stages).isEmpty)
    #expect(Straggler.find(in: [times((1, 1)), times((0, 0), share: 0)]).isEmpty)
  }

  @Test func whatCostsNothingIsNotWorthAWord() {
    #expect(Straggler.find(in: [times((0.01, 0.1)), times((0.01, 0.5))]).isEmpty)
    #expect(Straggler.find(in: [times((0, 0)), times((0, 0))]).isEmpty)
    #expect(Straggler.find(in: [times((0, 1)), times((0, 1.4))]).isEmpty)
  }
}
