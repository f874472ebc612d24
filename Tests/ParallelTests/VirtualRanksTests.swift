import Parallel
import Testing

@Suite struct VirtualRanksTests {
  @Test func everyVirtualRankIsRunOnceAndTheSharesAreEven() {
    for count in 1...40 {
      for ranks in 1...count + 5 {
        let virtualRanks = VirtualRanks(count: count, ranks: ranks)
        let shares = (0..<ranks).map { virtualRanks.run(by: $0) }
        #expect(shares.flatMap { Array($0) } == Array(0..<count))
        let sizes = shares.map(\.count)
        #expect((sizes.max() ?? 0) - (sizes.min() ?? 0) <= 1)
      }
    }
  }
}
