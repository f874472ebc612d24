import AllocationCount
import Files
import Kernels
import MPI
import Online
import Optimization
import Text

/// Learning a stream that lies in memory, one row a step: standardised, predicted, learned, judged and watched for drift.
enum OnlineBenchmark {
  static func run(_ settings: Settings, _ world: borrowing Communicator) throws {
    let rows = try settings.integer("rows", default: 1_000_000)
    let columns = try settings.integer("columns", default: 28)
    guard world.rank == 0 else { return }
    var random = RandomStream(seed: 1, stream: 0x6F6E_6C69_6E65)
    var features = FloatBuffer(count: rows * columns)
    var targets = FloatBuffer(count: rows)
    for row in 0..<rows {
      var sum: Float = 0
      for column in 0..<columns {
        let value = 2 * random.uniform() - 1
        features[row * columns + column] = value
        sum += column.isMultiple(of: 2) ? value : -value
      }
      targets[row] = sum > 0 ? 1 : 0
    }
    let optimizers = OptimizerKind.allCases.filter { [.sgd, .adagrad, .adam, .ftrl].contains($0) }
    for optimizer in optimizers {
      for watched in [false, true] where watched == false || optimizer == .sgd {
        try measure(optimizer, watched: watched, features, targets, rows: rows, columns: columns)
      }
    }
  }

  private static func measure(
    _ optimizer: OptimizerKind, watched: Bool, _ features: borrowing FloatBuffer, _ targets: borrowing FloatBuffer,
    rows: Int, columns: Int
  ) throws {
    var settings = LearnerSettings(.logistic, inputs: columns, outputs: 1)
    settings.optimizer = OptimizerSettings(optimizer)
    let learner = try OnlineLearner(settings)
    var outcomes = Outcomes(learner.task)
    var score = try PrequentialScore(learner.task)
    var detector = try DriftDetector(DriftSettings(.adwin))
    let start = ContinuousClock.now
    var first = 0
    var allocations = 0
    while first < rows {
      let part = first..<min(first + 1024, rows)
      let before = allocations_of_thread()
      try learner.learn(features, targets, rows: part, outcomes: &outcomes)
      score.add(outcomes)
      if watched {
        for row in 0..<outcomes.count { _ = detector.update(outcomes.error(row)) }
      }
      first = part.upperBound
      allocations = allocations_of_thread() - before
    }
    let seconds = (ContinuousClock.now - start) / .seconds(1)
    StandardStream.output.write(
      "online optimizer=\(optimizer.rawValue) adwin=\(watched) rows=\(rows) columns=\(columns)"
        + " samples/s=\(fixed(Double(rows) / seconds, decimals: 0))"
        + " allocations of the last rows=\(allocations)"
        + " accuracy=\(fixed(score.whole.accuracy ?? 0, decimals: 4))\n")
  }
}
