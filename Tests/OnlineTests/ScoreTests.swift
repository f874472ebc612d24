import JSON
import Kernels
import Online
import Optimization
import Testing

@Suite struct ScoreTests {
  /// Rows of two classes whose scores tell a little of the class.
  private static func outcomes(rows: Int, seed: UInt64) throws -> Outcomes {
    var settings = LearnerSettings(.logistic, inputs: 3, outputs: 1)
    settings.optimizer.learningRate = 0.05
    let learner = try OnlineLearner(settings)
    var random = RandomStream(seed: seed)
    var features = FloatBuffer(count: rows * 3)
    var targets = FloatBuffer(count: rows)
    for row in 0..<rows {
      for column in 0..<3 { features[row * 3 + column] = Float(random.normal()) }
      targets[row] = features[row * 3] + Float(random.normal()) > 0.5 ? 1 : 0
    }
    var outcomes = Outcomes(learner.task)
    try learner.learn(features, targets, rows: 0..<rows, outcomes: &outcomes)
    return outcomes
  }

  /// The definitions, over rows with weights.
  private static func direct(_ outcomes: Outcomes, _ rows: Range<Int>, fading: Double = 1) -> Measures.Direct {
    var (weights, loss, hits) = (0.0, 0.0, 0.0)
    var (support, predicted, right) = ([0.0, 0.0], [0.0, 0.0], [0.0, 0.0])
    var (pairs, ordered) = (0.0, 0.0)
    func weight(_ row: Int) -> Double { ScalarMath.power(fading, Double(rows.upperBound - 1 - row)) }
    for row in rows {
      let (target, guess) = (Int(outcomes.targets[row]), Int(outcomes.predictions[row]))
      weights += weight(row)
      loss += weight(row) * Double(outcomes.losses[row])
      support[target] += weight(row)
      predicted[guess] += weight(row)
      if target == guess {
        hits += weight(row)
        right[target] += weight(row)
      }
      for other in rows where outcomes.targets[row] == 1 && outcomes.targets[other] == 0 {
        let (a, b) = (outcomes.scores[row], outcomes.scores[other])
        pairs += weight(row) * weight(other)
        ordered += weight(row) * weight(other) * (a > b ? 1 : a == b ? 0.5 : 0)
      }
    }
    let chance = (support[0] * predicted[0] + support[1] * predicted[1]) / (weights * weights)
    return Measures.Direct(
      rows: weights, loss: loss / weights, accuracy: hits / weights,
      balanced: (right[0] / support[0] + right[1] / support[1]) / 2,
      kappa: (hits / weights - chance) / (1 - chance), auc: ordered / pairs)
  }

  private func check(_ measures: Measures, _ direct: Measures.Direct, exactArea: Bool) throws {
    func near(_ a: Double?, _ b: Double) -> Bool { abs((a ?? .nan) - b) < 1e-9 }
    #expect(near(measures.rows, direct.rows) && near(measures.loss, direct.loss))
    #expect(near(measures.accuracy, direct.accuracy) && near(measures.balancedAccuracy, direct.balanced))
    #expect(near(measures.kappa, direct.kappa))
    let error = try #require(measures.aucError)
    #expect(exactArea ? error == 0 : error < 0.005)
    #expect(abs(try #require(measures.auc) - direct.auc) <= error + 1e-9)
  }

  @Test func measuresAreTheirDefinitions() throws {
    let outcomes = try Self.outcomes(rows: 700, seed: 1)
    var settings = PrequentialScore.Settings()
    (settings.window, settings.fading) = (100, 0.99)
    var score = try PrequentialScore(outcomes.task, settings)
    // In parts, one of them longer than the window.
    for part in [0..<1, 1..<50, 50..<480, 480..<700] { score.add(outcomes, part) }
    try check(score.whole, Self.direct(outcomes, 0..<700), exactArea: false)
    try check(score.window, Self.direct(outcomes, 600..<700), exactArea: true)
    try check(score.faded, Self.direct(outcomes, 0..<700, fading: 0.99), exactArea: false)
  }

  @Test func fadingWeightsStayInRange() throws {
    let outcomes = try Self.outcomes(rows: 4000, seed: 2)
    var settings = PrequentialScore.Settings()
    (settings.window, settings.fading) = (0, 0.9)
    var score = try PrequentialScore(outcomes.task, settings)
    for _ in 0..<10 { score.add(outcomes) }
    try check(score.faded, Self.direct(outcomes, 3500..<4000, fading: 0.9), exactArea: false)
    #expect(score.window.rows == 0 && score.window.loss == nil && score.window.accuracy == nil)
  }

  @Test func regressionMeasuresAreTheirDefinitions() throws {
    var settings = LearnerSettings(.linear, inputs: 2, outputs: 2)
    settings.optimizer.learningRate = 0.05
    let learner = try OnlineLearner(settings)
    var random = RandomStream(seed: 3)
    let rows = 300
    let features = FloatBuffer((0..<rows * 2).map { _ in Float(random.normal()) })
    let targets = FloatBuffer((0..<rows * 2).map { 100 + features[$0] + Float(random.normal()) })
    var outcomes = Outcomes(learner.task)
    try learner.learn(features, targets, rows: 0..<rows, outcomes: &outcomes)
    var scoreSettings = PrequentialScore.Settings()
    scoreSettings.window = 50
    var score = try PrequentialScore(learner.task, scoreSettings)
    score.add(outcomes)
    for (measures, part) in [(score.whole, 0..<rows), (score.window, 250..<rows)] {
      var (mae, mse, r2) = (0.0, 0.0, 0.0)
      for output in 0..<2 {
        let values = part.map { Double(outcomes.targets[2 * $0 + output]) }
        let errors = part.map { Double(outcomes.predictions[2 * $0 + output] - outcomes.targets[2 * $0 + output]) }
        let mean = values.reduce(0, +) / Double(values.count)
        let squares = errors.reduce(0) { $0 + $1 * $1 }
        mae += errors.reduce(0) { $0 + $1.magnitude } / Double(values.count) / 2
        mse += squares / Double(values.count) / 2
        r2 += (1 - squares / values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }) / 2
      }
      #expect(abs(try #require(measures.mae) / mae - 1) < 1e-6)
      #expect(abs(try #require(measures.rmse) / mse.squareRoot() - 1) < 1e-6)
      #expect(abs(try #require(measures.r2) / r2 - 1) < 1e-5)
      #expect(measures.accuracy == nil && measures.auc == nil)
    }
  }

  @Test func scoresOfRanksMergeIntoOne() throws {
    let outcomes = try Self.outcomes(rows: 900, seed: 4)
    var settings = PrequentialScore.Settings()
    settings.fading = 1
    settings.window = 300
    var alone = try PrequentialScore(outcomes.task, settings)
    alone.add(outcomes)
    var parts = try (0..<3).map { _ in try PrequentialScore(outcomes.task, settings) }
    for part in 0..<3 { parts[part].add(outcomes, part * 300..<(part + 1) * 300) }
    var merged = parts[0]
    for part in parts.dropFirst() { merged.merge(part) }
    // The same counts; the windows of the three together are all rows.
    for measures in [merged.whole, merged.window, merged.faded] {
      #expect(measures.rows == 900 && measures.accuracy == alone.whole.accuracy)
      #expect(measures.kappa == alone.whole.kappa)
      #expect(abs(try #require(measures.loss) - #require(alone.whole.loss)) < 1e-12)
    }
    #expect(merged.whole.auc == alone.whole.auc)
    #expect(merged.window.aucError == 0)
  }

  @Test func goesOnBitForBit() throws {
    let outcomes = try Self.outcomes(rows: 1000, seed: 5)
    var settings = PrequentialScore.Settings()
    settings.window = 128
    for stop in [0, 1, 100, 128, 777] {
      var score = try PrequentialScore(outcomes.task, settings)
      score.add(outcomes, 0..<stop)
      let text = score.json.serialized()
      var resumed = try PrequentialScore(outcomes.task, settings, json: try JSONNode(parsing: Array(text.utf8)))
      #expect(resumed == score)
      score.add(outcomes, stop..<1000)
      resumed.add(outcomes, stop..<1000)
      #expect(resumed == score)
      #expect(resumed.json.serialized() == score.json.serialized())
    }
  }

  @Test func settingsThatMakeNoSenseAreRefused() {
    for (window, fading) in [(-1, 0.9), (1 << 21, 0.9), (10, 0), (10, 1.1), (10, .nan)] {
      var settings = PrequentialScore.Settings()
      (settings.window, settings.fading) = (window, fading)
      #expect(throws: OnlineError.self) { try PrequentialScore(.regression(outputs: 1), settings) }
    }
    #expect(throws: OnlineError.self) { try PrequentialScore(.classification(classes: 1)) }
  }
}

extension Measures {
  struct Direct {
    let rows, loss, accuracy, balanced, kappa, auc: Double
  }
}
