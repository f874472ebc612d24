import Kernels
import Model
import Online
import Optimization
import Testing

/// A learner whose world changes, a detector that watches its errors, and a fresh learner that takes over.
@Suite struct RecoveryTests {
  private static let columns = 8

  /// Rows whose class is the sign of one sum of columns, from row `change` on of its opposite; within `width` rows a growing share.
  private static func rows(_ count: Int, change: Int, width: Int, seed: UInt64) -> (features: [Float], targets: [Float])
  {
    var random = RandomStream(seed: seed)
    var features: [Float] = []
    var targets: [Float] = []
    for row in 0..<count {
      var sum: Float = 0
      for column in 0..<columns {
        let value = 2 * random.uniform() - 1
        features.append(value)
        sum += column < 4 ? value : -value
      }
      let share = width == 0 ? (row < change ? 0 : 1) : Float(row - change) / Float(width)
      // One label in twenty is wrong.
      let isTurned = (random.uniform() < share) != (random.uniform() < 0.05)
      targets.append((sum > 0) != isTurned ? 1 : 0)
    }
    return (features, targets)
  }

  private static func learner() throws -> OnlineLearner {
    var settings = LearnerSettings(.logistic, inputs: columns, outputs: 1)
    // Slow, so that the old learner does not come round by itself at once.
    settings.optimizer.learningRate = 0.02
    settings.schedule = Schedule(.inverseTime)
    return try OnlineLearner(settings)
  }

  private static func accuracy(_ errors: ArraySlice<Double>) -> Double {
    1 - errors.reduce(0, +) / Double(errors.count)
  }

  @Test(arguments: [0, 300]) func aFreshModelTakesOverAfterADrift(width: Int) throws {
    let (features, targets) = Self.rows(12_000, change: 5000, width: width, seed: 2)
    let x = FloatBuffer(features)
    let y = FloatBuffer(targets)
    var learner = try Self.learner()
    let alone = try Self.learner()
    var detector = try DriftDetector(DriftSettings(.adwin))
    var fresh: OnlineLearner?
    var rule = try SwitchRule()
    var outcomes = Outcomes(learner.task)
    var others = outcomes
    var errors: [Double] = []
    var errorsAlone: [Double] = []
    var drifts: [Int] = []
    var switches: [Int] = []
    for row in 0..<12_000 {
      try alone.learn(x, y, rows: row..<row + 1, outcomes: &outcomes)
      errorsAlone.append(outcomes.error(0))
      try learner.learn(x, y, rows: row..<row + 1, outcomes: &outcomes)
      errors.append(outcomes.error(0))
      let signal = detector.update(outcomes.error(0))
      if let candidate = fresh {
        try candidate.learn(x, y, rows: row..<row + 1, outcomes: &others)
        switch rule.add(old: Double(outcomes.losses[0]), fresh: Double(others.losses[0])) {
        case .undecided: break
        case .fresh:
          switches.append(row)
          (learner, fresh) = (candidate, nil)
        case .old: fresh = nil
        }
      }
      // While the old model learns, its errors grow less; what matters is that they grew.
      if signal == .drift, Self.accuracy(errors.suffix(100)) < 0.85 {
        drifts.append(row)
        if fresh == nil {
          fresh = try learner.fresh(seed: UInt64(row))
          rule = try SwitchRule()
        }
      }
    }
    let first = try #require(drifts.first)
    #expect(first >= 5000 && first < 5500, "\(drifts)")
    #expect(try #require(switches.first) < 5800 && switches.count <= 2, "\(switches)")
    #expect(Self.accuracy(errors[4000..<5000]) > 0.9)
    #expect(Self.accuracy(errors[7000..<8000]) > 0.9)
    #expect(Self.accuracy(errors[7000..<8000]) > Self.accuracy(errorsAlone[7000..<8000]) + 0.02)
  }

  @Test func aWorldThatStaysRaisesNoAlarm() throws {
    let (features, targets) = Self.rows(100_000, change: .max, width: 0, seed: 4)
    let learner = try Self.learner()
    var outcomes = Outcomes(learner.task)
    try learner.learn(FloatBuffer(features), FloatBuffer(targets), rows: 0..<100_000, outcomes: &outcomes)
    var detector = try DriftDetector(DriftSettings(.adwin))
    // The learner becomes better in the first rows, which is a change too.
    let alarms = (0..<100_000).filter { detector.update(outcomes.error($0)) == .drift }
    #expect(alarms.count { $0 >= 1000 } <= 1, "\(alarms)")
  }
}
