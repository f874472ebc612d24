import JSON
import Kernels
import Model
import Online
import Optimization
import Testing

@Suite struct LearnerTests {
  private static func problem(_ classes: Int, rows: Int = 400) -> Problem {
    Problem(rows: rows, columns: 7, classes: classes, seed: 3)
  }

  private func parameters(_ learner: OnlineLearner) -> [Float] { learner.parameters.values() }

  @Test(arguments: Learners.all) func learnsWhatThereIsToLearn(
    name: String, settings: LearnerSettings, classes: Int
  ) throws {
    let problem = Self.problem(classes, rows: 3000)
    let learner = try OnlineLearner(settings)
    var outcomes = Outcomes(learner.task)
    try learner.learn(problem.featureBuffer, problem.targetBuffer, rows: 0..<problem.count, outcomes: &outcomes)
    var score = try PrequentialScore(learner.task)
    score.add(outcomes)
    if classes == 0 {
      #expect(try #require(score.window.r2) > 0.95, "\(score.window)")
    } else {
      #expect(try #require(score.window.accuracy) > (classes == 2 ? 0.9 : 0.8), "\(score.window)")
    }
  }

  /// How rows are cut into calls is no matter.
  @Test(arguments: Learners.all, [1, 4]) func callsDoNotMatter(
    learner: (name: String, settings: LearnerSettings, classes: Int), rowsPerStep: Int
  ) throws {
    let problem = Self.problem(learner.classes, rows: 2100)
    let features = problem.featureBuffer
    let targets = problem.targetBuffer
    let whole = try OnlineLearner(learner.settings)
    var outcomes = Outcomes(whole.task)
    try whole.learn(features, targets, rows: 0..<2100, rowsPerStep: rowsPerStep, outcomes: &outcomes)
    let parts = try OnlineLearner(learner.settings)
    var part = Outcomes(parts.task)
    var losses: [Float] = []
    var predictions: [Float] = []
    for rows in [0..<0, 0..<4, 4..<1040, 1040..<2100] {
      try parts.learn(features, targets, rows: rows, rowsPerStep: rowsPerStep, outcomes: &part)
      losses += part.losses
      predictions += part.predictions
    }
    #expect(whole.json == parts.json)
    #expect(losses == outcomes.losses && predictions == outcomes.predictions && outcomes.targets == problem.targets)
  }

  @Test(arguments: Learners.all) func goesOnBitForBit(name: String, settings: LearnerSettings, classes: Int) throws {
    let problem = Self.problem(classes)
    let features = problem.featureBuffer
    let targets = problem.targetBuffer
    let whole = try OnlineLearner(settings)
    var outcomes = Outcomes(whole.task)
    try whole.learn(features, targets, rows: 0..<150, outcomes: &outcomes)
    whole.learningRateFactor = 2.5
    let text = whole.json.serialized()
    let resumed = try OnlineLearner(settings, json: try JSONNode(parsing: Array(text.utf8)))
    #expect(resumed.json.serialized() == text)
    var others = Outcomes(whole.task)
    try whole.learn(features, targets, rows: 150..<400, outcomes: &outcomes)
    try resumed.learn(features, targets, rows: 150..<400, outcomes: &others)
    #expect(outcomes == others && whole.json == resumed.json && whole.rows == 400)
    let damaged = text.replacing("\"rows\":150", with: "\"rows\":-1")
    #expect(throws: OnlineError.self) { try OnlineLearner(settings, json: try JSONNode(parsing: Array(damaged.utf8))) }
  }

  /// What `learn` says of rows before it learns them is what `predict` says.
  @Test(arguments: Learners.all) func predictsWithoutLearning(
    name: String, settings: LearnerSettings, classes: Int
  ) throws {
    let problem = Self.problem(classes)
    let features = problem.featureBuffer
    let targets = problem.targetBuffer
    let learner = try OnlineLearner(settings)
    var outcomes = Outcomes(learner.task)
    try learner.learn(features, targets, rows: 0..<399, outcomes: &outcomes)
    let before = learner.json
    try learner.predict(features, rows: 390..<400, outcomes: &outcomes)
    #expect(learner.json == before)
    #expect(
      outcomes.count == 10 && outcomes.predictions.count == 10 && outcomes.losses.isEmpty && outcomes.targets.isEmpty)
    // The statistics that `learn` uses know the row: nearly the same.
    let said = outcomes.predictions[9]
    try learner.learn(features, targets, rows: 399..<400, outcomes: &outcomes)
    #expect(classes > 0 ? outcomes.predictions[0] == said : abs(outcomes.predictions[0] - said) < 0.2)
  }

  @Test func runsOfStepsAreStepsOneByOne() throws {
    let problem = Self.problem(2)
    let features = problem.featureBuffer
    let targets = problem.targetBuffer
    var settings = LearnerSettings(.logistic, inputs: 7, outputs: 1)
    settings.penalty.l2 = 0.01
    let runs = try OnlineLearner(settings)
    let single = try OnlineLearner(settings)
    var (outcomes, others) = (Outcomes(runs.task), Outcomes(runs.task))
    try runs.learn(features, targets, rows: 0..<400, outcomes: &outcomes)
    for row in 0..<400 {
      try single.accumulate(features, targets, rows: row..<row + 1, outcomes: &others)
      #expect(others.losses[0] == outcomes.losses[row] && others.scores[0] == outcomes.scores[row])
      single.step(samples: 1)
    }
    #expect(parameters(runs) == parameters(single) && runs.steps == single.steps)
  }

  /// Gradients of ranks that are added make the step of one rank.
  @Test func ranksThatAddGradientsAreOne() throws {
    let problem = Self.problem(4)
    let features = problem.featureBuffer
    let targets = problem.targetBuffer
    var settings = LearnerSettings(.softmax, inputs: 7, outputs: 4)
    settings.standardizes = false
    settings.optimizer = OptimizerSettings(.adam)
    let alone = try OnlineLearner(settings)
    let ranks = try (0..<2).map { _ in try OnlineLearner(settings, sharesEvidence: true) }
    var outcomes = Outcomes(alone.task)
    for step in 0..<20 {
      let first = step * 20
      try alone.accumulate(features, targets, rows: first..<first + 20, outcomes: &outcomes)
      alone.step(samples: 20)
      for rank in 0..<2 {
        // Twice each, as micro-batches that come between two exchanges.
        for part in 0..<2 {
          let start = first + rank * 10 + part * 5
          try ranks[rank].accumulate(features, targets, rows: start..<start + 5, outcomes: &outcomes)
        }
      }
      let sum = zip(ranks[0].gradient.values(), ranks[1].gradient.values()).map { $0 + $1 }
      for rank in ranks {
        rank.gradient.copy(from: sum)
        rank.step(samples: 20)
      }
    }
    #expect(parameters(ranks[0]) == parameters(ranks[1]))
    for (own, one) in zip(parameters(ranks[0]), parameters(alone)) { #expect(abs(own - one) < 1e-5) }
    #expect(alone.combines == .gradients)
  }

  /// A rank that takes over the knowledge of another has its statistics, or rows, and what it has seen itself since it told of them.
  @Test(arguments: [LearnerKind.linear, .rls]) func knowledgeOfAnotherRank(kind: LearnerKind) throws {
    let problem = Self.problem(0)
    let features = problem.featureBuffer
    let targets = problem.targetBuffer
    let settings = LearnerSettings(kind, inputs: 7, outputs: 1)
    let ranks = try (0..<2).map { _ in try OnlineLearner(settings, sharesEvidence: true) }
    let alone = try OnlineLearner(settings)
    var outcomes = Outcomes(alone.task)
    try ranks[0].learn(features, targets, rows: 0..<100, outcomes: &outcomes)
    try ranks[1].learn(features, targets, rows: 100..<150, outcomes: &outcomes)
    let told = ranks[1].takeEvidence()
    try ranks[1].absorb([told])
    try ranks[1].learn(features, targets, rows: 150..<180, outcomes: &outcomes)
    // The other one takes in what was told, and tells what it knows.
    try ranks[0].absorb([ranks[0].takeEvidence()])
    try ranks[0].absorb([told])
    try ranks[1].adopt(ranks[0].knowledge)
    try alone.learn(features, targets, rows: 0..<180, outcomes: &outcomes)
    for (own, all) in zip(ranks[1].moments.means, alone.moments.means) { #expect(abs(own - all) < 1e-9) }
    #expect(ranks[1].moments.counts == alone.moments.counts && ranks[0].moments.counts[0] == 150)
    for (own, all) in zip(ranks[1].leastSquares ?? [], alone.leastSquares ?? []) { #expect(abs(own - all) < 1e-8) }
    #expect(throws: OnlineError.self) { try ranks[0].adopt([1]) }
  }

  /// Where ranks are gone, what their optimizers remembered is in the mean, by steps.
  @Test func meanOfOptimizers() throws {
    let problem = Self.problem(2)
    let features = problem.featureBuffer
    let targets = problem.targetBuffer
    var settings = LearnerSettings(.logistic, inputs: 7, outputs: 1)
    settings.optimizer = OptimizerSettings(.adagrad)
    let ranks = try (0..<2).map { _ in try OnlineLearner(settings) }
    var outcomes = Outcomes(ranks[0].task)
    try ranks[0].learn(features, targets, rows: 0..<30, outcomes: &outcomes)
    try ranks[1].learn(features, targets, rows: 100..<190, outcomes: &outcomes)
    func squares(_ learner: OnlineLearner) throws -> [Float] {
      let state = try JSONNode(parsing: Array(learner.json.serialized(pretty: false).utf8), dialect: .json)
      let text = try #require(state["learner"]?["squares"]?.asString)
      return stride(from: 0, to: text.count, by: 8).map { start in
        let digits = text.dropFirst(start).prefix(8)
        return Float(bitPattern: UInt32(digits, radix: 16) ?? 0)
      }
    }
    let before = try ranks.map(squares)
    let kept = parameters(ranks[0])
    ranks[0].takeMeanOptimizer(of: ranks)
    #expect(ranks[0].steps == 90 && parameters(ranks[0]) == kept)
    for (index, mean) in try squares(ranks[0]).enumerated() {
      #expect(abs(mean - (before[0][index] / 4 + before[1][index] * 3 / 4)) <= 1e-5 * mean)
    }
  }

  @Test func rowsThatCannotBeLearnedChangeNothing() throws {
    let problem = Self.problem(0)
    let features = problem.featureBuffer
    var wild = problem.targets
    wild[250] = 3e38
    for (kind, steps) in [(LearnerKind.linear, 1), (.linear, 5), (.rls, 1)] {
      var settings = LearnerSettings(kind, inputs: 7, outputs: 1)
      settings.optimizer.learningRate = 0.01
      let learner = try OnlineLearner(settings)
      var outcomes = Outcomes(learner.task)
      let error = #expect(throws: OnlineError.self) {
        try learner.learn(features, FloatBuffer(wild), rows: 0..<400, rowsPerStep: steps, outcomes: &outcomes)
      }
      #expect(error?.description == "row 250: the loss or its gradient is not finite")
      #expect(outcomes.count == 250 && outcomes.losses.count == 250 && learner.rows == 250)
      let other = try OnlineLearner(settings)
      var others = Outcomes(other.task)
      try other.learn(features, problem.targetBuffer, rows: 0..<250, rowsPerStep: steps, outcomes: &others)
      #expect(other.json == learner.json && others == outcomes)
    }
  }

  @Test func rowsThatAreNoneAreRefused() throws {
    let learner = try OnlineLearner(LearnerSettings(.softmax, inputs: 7, outputs: 4))
    var outcomes = Outcomes(learner.task)
    let features = Self.problem(4).featureBuffer
    for target in [4, -1, 1.5, .nan, .infinity] as [Float] {
      var targets = Self.problem(4).targets
      targets[3] = target
      #expect(throws: OnlineError.self) {
        try learner.learn(features, FloatBuffer(targets), rows: 0..<10, outcomes: &outcomes)
      }
      #expect(throws: OnlineError.self) {
        try learner.accumulate(features, FloatBuffer(targets), rows: 0..<10, outcomes: &outcomes)
      }
    }
    features.withNaN { features in
      #expect(throws: OnlineError.self) {
        try learner.learn(features, Self.problem(4).targetBuffer, rows: 0..<10, outcomes: &outcomes)
      }
    }
    #expect(learner.rows == 0 && outcomes.count == 0 && learner.moments.counts.allSatisfy { $0 == 0 })
  }

  @Test func settingsThatMakeNoSenseAreRefused() {
    func refused(_ kind: LearnerKind, _ outputs: Int, _ change: (inout LearnerSettings) -> Void = { _ in }) {
      var settings = LearnerSettings(kind, inputs: 3, outputs: outputs)
      change(&settings)
      #expect(throws: OnlineError.self, "\(settings)") { try OnlineLearner(settings) }
    }
    refused(.mlp, 2) { $0.hidden = [3] }
    refused(.softmax, 1)
    refused(.logistic, 2)
    refused(.svm, 2)
    refused(.linear, 0)
    refused(.linear, 1) { $0.loss = .logistic }
    refused(.rls, 1) { $0.loss = .huber }
    refused(.rls, 1) { $0.forgetting = 1.5 }
    refused(.rls, 1) { $0.ridge = -1 }
    refused(.rls, 1) { $0.inputs = 2000 }
    refused(.linear, 1) { $0.hidden = [3] }
    refused(.linear, 1) { $0.biasLearningRate = -1 }
    refused(.rls, 1) { $0.biasLearningRate = 0.1 }
    refused(.linear, 1) { $0.schedule = Schedule(.cosine) }
    refused(.passiveAggressive, 1) { $0.aggressiveness = 0 }
  }

  /// With the same rate biases move as they do with plain descent.
  @Test func biasesMayHaveARateOfTheirOwn() throws {
    let problem = Self.problem(4)
    var settings = LearnerSettings(.softmax, inputs: 7, outputs: 4)
    settings.optimizer.learningRate = 0.03
    let plain = try OnlineLearner(settings)
    settings.biasLearningRate = 0.03
    let own = try OnlineLearner(settings)
    settings.biasLearningRate = 0
    let none = try OnlineLearner(settings)
    var outcomes = Outcomes(plain.task)
    for learner in [plain, own, none] {
      try learner.learn(
        problem.featureBuffer, problem.targetBuffer, rows: 0..<400, rowsPerStep: 8, outcomes: &outcomes)
    }
    for (a, b) in zip(parameters(plain), parameters(own)) { #expect(abs(a - b) < 1e-5) }
    #expect(parameters(none).suffix(4).allSatisfy { $0 == 0 } && parameters(plain).suffix(4).allSatisfy { $0 != 0 })
  }

  @Test func aFreshLearnerKnowsTheStatisticsAlone() throws {
    let problem = Self.problem(2)
    let settings = Learners.all[3].1
    let old = try OnlineLearner(settings)
    var outcomes = Outcomes(old.task)
    try old.learn(problem.featureBuffer, problem.targetBuffer, rows: 0..<400, outcomes: &outcomes)
    let fresh = try old.fresh(seed: 2)
    #expect(fresh.moments == old.moments && fresh.rows == 0 && parameters(fresh).allSatisfy { $0 == 0 })
    old.resetOptimizer()
    #expect(old.steps == 0 && !parameters(old).allSatisfy { $0 == 0 })
  }
}

extension FloatBuffer {
  /// Calls `body` with a copy that lacks a number.
  fileprivate borrowing func withNaN(_ body: (borrowing FloatBuffer) throws -> Void) rethrows {
    var copy = FloatBuffer(values())
    copy[17] = .nan
    try body(copy)
  }
}
