import AllocationCount
import Kernels
import Online
import Testing

@Suite struct AllocationTests {
  /// Learning and judging rows ask for no memory once rows of that number were seen.
  @Test(arguments: Learners.all) func learningAllocatesNothing(
    name: String, settings: LearnerSettings, classes: Int
  ) throws {
    let problem = Problem(rows: 256, columns: 7, classes: classes, seed: 1)
    let features = problem.featureBuffer
    let targets = problem.targetBuffer
    let learner = try OnlineLearner(settings)
    var outcomes = Outcomes(learner.task)
    var scoreSettings = PrequentialScore.Settings()
    scoreSettings.window = 64
    var score = try PrequentialScore(learner.task, scoreSettings)
    var counts: [Int] = []
    counts.reserveCapacity(6)
    for rows in [256, 64, 1, 256, 64, 1] {
      let before = allocations_of_thread()
      try learner.learn(features, targets, rows: 0..<rows, outcomes: &outcomes)
      score.add(outcomes)
      counts.append(allocations_of_thread() - before)
    }
    #if DEBUG
      // Unoptimised code puts literals of arrays on the heap: no more of them each time.
      #expect(counts[5] <= counts[2])
    #else
      #expect(counts.suffix(3) == [0, 0, 0])
    #endif
  }
}
