import Online
import Optimization
import Testing

/// Prequential accuracy on electricity.csv, in order and standardised online, against River's same models and settings.
@Suite struct RiverModelTests {
  static let optimizers: [(String, OptimizerSettings, Penalty)] = {
    var sgd = OptimizerSettings(.sgd)
    sgd.learningRate = 0.01
    var adagrad = OptimizerSettings(.adagrad)
    (adagrad.learningRate, adagrad.epsilon) = (0.1, 1e-8)
    var ftrl = OptimizerSettings(.ftrl)
    (ftrl.learningRate, ftrl.beta) = (0.05, 1)
    return [("sgd", sgd, Penalty()), ("adagrad", adagrad, Penalty()), ("ftrl", ftrl, Penalty(l2: 1))]
  }()

  private func accuracy(_ settings: LearnerSettings) throws -> Double {
    let learner = try OnlineLearner(settings)
    let features = Electricity.features()
    let targets = Electricity.targets()
    var outcomes = Outcomes(learner.task)
    try learner.learn(features, targets, rows: 0..<Electricity.count, outcomes: &outcomes)
    var score = try PrequentialScore(learner.task)
    score.add(outcomes)
    #expect(learner.rows == 45_312 && learner.steps == 45_312 && score.whole.rows == 45_312)
    return try #require(score.whole.accuracy)
  }

  @Test(arguments: optimizers) func logisticIsRivers(name: String, optimizer: OptimizerSettings, penalty: Penalty)
    throws
  {
    var settings = LearnerSettings(.logistic, inputs: Electricity.columns, outputs: 1)
    (settings.optimizer, settings.penalty) = (optimizer, penalty)
    // River's `intercept_lr`.
    settings.biasLearningRate = name == "sgd" ? nil : 0.01
    let river = try #require(River.kept().accuracy[name])
    let own = try accuracy(settings)
    #expect(abs(own - river) < 0.005, "\(own), River \(river)")
  }

  @Test func passiveAggressiveIsRivers() throws {
    var settings = LearnerSettings(.passiveAggressive, inputs: Electricity.columns, outputs: 1)
    settings.aggressiveness = 0.01
    let river = try #require(River.kept().accuracy["passive_aggressive"])
    let own = try accuracy(settings)
    #expect(abs(own - river) < 0.005, "\(own), River \(river)")
  }
}
