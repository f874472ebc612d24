import JSON
import Kernels
import Model
import Online
import Optimization
import Testing

/// Classes and columns that come later.
@Suite struct GrowthTests {
  @Test(arguments: [("softmax adam", 0), ("mlp adam", 0), ("svm classes adam", 0), ("passive aggressive classes", 0)])
  func classesThatComeLaterAreLearned(name: String, _: Int) throws {
    let problem = Problem(rows: 3000, columns: 7, classes: 4, seed: 3)
    // Three classes first; four from row 1500 on.
    let early = (0..<1500).filter { problem.targets[$0] < 3 }
    var settings = try #require(Learners.all.first { $0.0 == name }).1
    settings.outputs = 3
    let learner = try OnlineLearner(settings)
    var outcomes = Outcomes(learner.task)
    let features = problem.featureBuffer
    let targets = problem.targetBuffer
    for row in early { try learner.learn(features, targets, rows: row..<row + 1, outcomes: &outcomes) }
    let before = learner.parameters.values()
    try learner.addClasses(to: 4)
    #expect(learner.model.outputs == 4 && learner.task == .classification(classes: 4))
    let entry = try #require(learner.model.layout["layers.\(learner.model.depth - 1).weight"])
    let last = learner.parameters.values(in: entry.range)
    #expect(last.suffix(entry.shape[1]).allSatisfy { $0 == 0 })
    #expect(Set(before).subtracting(learner.parameters.values()).isEmpty)

    var score = try PrequentialScore(.classification(classes: 3))
    try learner.learn(features, targets, rows: 1500..<3000, outcomes: &outcomes)
    score.add(outcomes)
    #expect(score.task == .classification(classes: 4))
    #expect(try #require(score.window.balancedAccuracy) > 0.75, "\(score.window)")
    // The state knows how many classes there are.
    let text = learner.json.serialized()
    let resumed = try OnlineLearner(settings, json: try JSONNode(parsing: Array(text.utf8)))
    #expect(resumed.json == learner.json && resumed.model.outputs == 4)
    let fresh = try learner.fresh(seed: 1)
    #expect(fresh.model.outputs == 4)
  }

  /// With the third class areas under the ROC curve end, and the state of the score can still be read.
  @Test func aScoreOfTwoClassesGrows() throws {
    let problem = Problem(rows: 400, columns: 7, classes: 3, seed: 3)
    let early = (0..<200).filter { problem.targets[$0] < 2 }
    let learner = try OnlineLearner(LearnerSettings(.softmax, inputs: 7, outputs: 2))
    var settings = PrequentialScore.Settings()
    settings.window = 150
    var score = try PrequentialScore(learner.task, settings)
    var outcomes = Outcomes(learner.task)
    for row in early {
      try learner.learn(problem.featureBuffer, problem.targetBuffer, rows: row..<row + 1, outcomes: &outcomes)
      score.add(outcomes)
    }
    #expect(score.whole.auc != nil && score.window.auc != nil)
    try learner.addClasses(to: 3)
    score.addClasses(to: 3)
    try learner.learn(problem.featureBuffer, problem.targetBuffer, rows: 200..<260, outcomes: &outcomes)
    // A row was predicted by a model that did not know its class.
    let surprised = try #require((0..<60).first { outcomes.targets[$0] == outcomes.predictions[$0] })
    outcomes.predict((Int(outcomes.targets[surprised]) + 1) % 3, row: surprised)
    #expect(outcomes.error(surprised) == 1)
    score.add(outcomes)
    #expect(score.whole.auc == nil && score.window.auc == nil && score.whole.rows == Double(early.count + 60))
    let text = score.json.serialized()
    let resumed = try PrequentialScore(
      .classification(classes: 2), settings, json: try JSONNode(parsing: Array(text.utf8)))
    #expect(resumed == score)
  }

  @Test func modelsOfTwoClassesSayWhatToUseInstead() throws {
    let learner = try OnlineLearner(LearnerSettings(.logistic, inputs: 7, outputs: 1))
    let error = #expect(throws: OnlineError.self) { try learner.addClasses(to: 3) }
    #expect(
      error?.description
        == "a model with the loss \"logistic\" and 1 outputs takes no more classes; a learner of kind \"softmax\" does")
    #expect(learner.model.outputs == 1)
  }

  /// New columns say nothing at first: the grown model gives the scores of the old one.
  @Test(arguments: [ModelKind.softmax, .mlp]) func aGrownModelSaysTheSame(kind: ModelKind) throws {
    let old = try Model(kind: kind, sizes: [5] + (kind == .mlp ? [6] : []) + [3], loss: .softmax)
    let growth = try ModelGrowth(old, inputs: 8, outputs: 5)
    var parameters = FloatBuffer(count: old.layout.count)
    old.initialize(&parameters, seed: 4)
    var grown = FloatBuffer(count: growth.new.layout.count)
    growth.copy(parameters, to: &grown)
    let problem = Problem(rows: 10, columns: 8, classes: 0, seed: 1)
    let narrow = FloatBuffer((0..<10).flatMap { problem.features[$0 * 8..<$0 * 8 + 5] })
    let (before, after) = (Workspace(old, rows: 10), Workspace(growth.new, rows: 10))
    old.forward(parameters: parameters, features: narrow, view: MatrixView(rows: 10, columns: 5), workspace: before)
    growth.new.forward(
      parameters: grown, features: problem.featureBuffer, view: MatrixView(rows: 10, columns: 8), workspace: after)
    for row in 0..<10 {
      for output in 0..<5 {
        let score = after.outputs[row * 5 + output]
        #expect(output < 3 ? abs(score - before.outputs[row * 3 + output]) < 1e-5 : score == 0)
      }
    }
    #expect(throws: OnlineError.self) { try ModelGrowth(old, outputs: 2) }
  }
}
