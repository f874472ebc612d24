import Parallel
import Testing

@Suite struct PipelineStagesTests {
  /// The largest work of the best cut, found by trying all.
  private func best(_ works: [Int], stages: Int) -> Int {
    if stages == 1 { return works.reduce(0, +) }
    return (1...works.count - stages + 1).map { first in
      max(works[..<first].reduce(0, +), best(Array(works[first...]), stages: stages - 1))
    }.min() ?? 0
  }

  @Test(arguments: [
    [4, 5], [1024, 2048, 2048, 2048, 1024], [6, 70, 131, 7, 9, 5, 8, 6, 4], [1, 1, 1, 1, 1, 1, 1, 1],
    [784, 1, 784, 1, 784, 1], [1000, 1, 1, 1, 1, 1, 1000], [2, 900, 900, 2, 2, 2, 2, 2],
  ])
  func stagesAreBalanced(sizes: [Int]) {
    let works = PipelineStages.works(sizes: sizes)
    for stages in 1...works.count {
      let ranges = PipelineStages.balanced(sizes: sizes, stages: stages)
      #expect(ranges.count == stages && ranges.allSatisfy { !$0.isEmpty })
      #expect(ranges.flatMap { Array($0) } == Array(works.indices))
      #expect(ranges.map { works[$0].reduce(0, +) }.max() == best(works, stages: stages))
    }
  }

  @Test func stagesAsTheJobSays() {
    #expect(PipelineStages.runs(ofLengths: [2, 1, 3]) == [0..<2, 2..<3, 3..<6])
  }
}
