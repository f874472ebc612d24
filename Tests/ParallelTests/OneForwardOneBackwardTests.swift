import Parallel
import Testing

@Suite struct OneForwardOneBackwardTests {
  /// Every pass once and in order, never more under way than allowed, and no stage waits for ever for another.
  @Test func allStagesFinish() {
    for stages in 1...6 {
      for microBatches in 0...9 {
        let works = (0..<stages).map {
          Array(OneForwardOneBackward(stage: $0, stages: stages, microBatches: microBatches))
        }
        for (stage, works) in works.enumerated() {
          let forward = works.compactMap { if case .forward(let batch) = $0 { batch } else { nil } }
          let backward = works.compactMap { if case .backward(let batch) = $0 { batch } else { nil } }
          #expect(forward == Array(0..<microBatches) && backward == Array(0..<microBatches))
          var underWay = 0
          var most = 0
          for work in works {
            if case .forward = work { underWay += 1 } else { underWay -= 1 }
            #expect(underWay >= 0)
            most = max(most, underWay)
          }
          #expect(most == min(stages - stage, microBatches))
        }
        #expect(finishes(works, microBatches: microBatches), "\(stages) stages, \(microBatches) micro-batches")
      }
    }
  }

  /// Runs the stages, each as soon as what it needs has arrived.
  private func finishes(_ works: [[OneForwardOneBackward.Work]], microBatches: Int) -> Bool {
    var next = [Int](repeating: 0, count: works.count)
    var forward = [Int](repeating: 0, count: works.count)
    var backward = [Int](repeating: 0, count: works.count)
    var moved = true
    while moved {
      moved = false
      for stage in works.indices where next[stage] < works[stage].count {
        switch works[stage][next[stage]] {
        case .forward(let batch):
          guard stage == 0 || forward[stage - 1] > batch else { continue }
          forward[stage] += 1
        case .backward(let batch):
          guard forward[stage] > batch, stage == works.count - 1 || backward[stage + 1] > batch else { continue }
          backward[stage] += 1
        }
        next[stage] += 1
        moved = true
      }
    }
    return backward.allSatisfy { $0 == microBatches }
  }

  @Test func theLastStageGoesBackAtOnce() {
    #expect(
      Array(OneForwardOneBackward(stage: 2, stages: 3, microBatches: 2))
        == [.forward(0), .backward(0), .forward(1), .backward(1)])
    #expect(
      Array(OneForwardOneBackward(stage: 1, stages: 3, microBatches: 3))
        == [.forward(0), .forward(1), .backward(0), .forward(2), .backward(1), .backward(2)])
  }

  @Test func bubble() {
    #expect(OneForwardOneBackward.bubble(stages: 1, microBatches: 4) == 0)
    #expect(OneForwardOneBackward.bubble(stages: 4, microBatches: 1) == 0.75)
    #expect(OneForwardOneBackward.bubble(stages: 2, microBatches: 8) == 1.0 / 9)
  }
}
