import Testing

@testable import Training

@Suite struct TrainingPlanTests {
  private func plan(rows: Int, _ settings: String...) throws -> TrainingPlan {
    TrainingPlan(rows: rows, job: try JobParsingTests.parse(JobParsingTests.least, settings))
  }

  /// The positions of an epoch's steps follow each other from the first row to the last; only the last batch may be short.
  @Test(arguments: [1, 2, 7, 69, 100], [1, 7, 10, 69, 1000]) func everyEpochIsWhole(rows: Int, batch: Int) throws {
    let plan = try plan(rows: rows, "train.batch_size=\(batch)", "train.epochs=3")
    #expect(plan.totalSteps == 3 * plan.stepsPerEpoch)
    var index = 0
    for epoch in 0..<3 {
      var next = 0
      while next < rows {
        let step = plan.step(index)
        #expect(step.index == index && step.epoch == epoch && step.positions.lowerBound == next)
        #expect(step.positions.count == min(batch, rows - next))
        next = step.positions.upperBound
        #expect(step.endsEpoch == (next == rows))
        index += 1
      }
    }
    #expect(index == plan.totalSteps)
  }

  @Test func fullBatchesAndSteps() throws {
    let full = try plan(rows: 50, "train.batch_size=full", "train.epochs=4")
    #expect(full.batchRows == 50 && full.stepsPerEpoch == 1 && full.totalSteps == 4)
    #expect(full.step(3).epoch == 3 && full.step(3).positions == 0..<50 && full.step(3).endsEpoch)
    let steps = try plan(rows: 50, "train.batch_size=20", "train.steps=7")
    #expect(steps.totalSteps == 7 && steps.step(6).epoch == 2 && steps.step(6).positions == 0..<20)
  }

  /// Numbers from a job file can be as large as they like.
  @Test func hugeNumbers() throws {
    let epochs = try plan(rows: Int.max, "train.batch_size=1", "train.epochs=\(Int.max)")
    #expect(epochs.totalSteps == Int.max && epochs.step(Int.max - 1).positions == Int.max - 1..<Int.max)
    let batch = try plan(rows: 3, "train.batch_size=\(Int.max)")
    #expect(batch.stepsPerEpoch == 1 && batch.step(0).positions == 0..<3)
  }
}
