import Kernels
import Online
import Testing

@Suite struct PassiveAggressiveTests {
  /// The updates as Crammer et al. write them, in Double: weights and bias of each score.
  private static func direct(_ problem: Problem, _ settings: LearnerSettings) -> [[Double]] {
    let (columns, outputs) = (problem.columns, settings.outputs)
    var weights = [[Double]](repeating: [Double](repeating: 0, count: columns + 1), count: outputs)
    for row in 0..<problem.count {
      let x = problem.features[row * columns..<(row + 1) * columns].map { Double($0) } + [1]
      let scores = weights.map { zip($0, x).reduce(0) { $0 + $1.0 * $1.1 } }
      let target = Int(problem.targets[row])
      let norm = x.dropLast().reduce(0) { $0 + $1 * $1 } * (outputs == 1 ? 1 : 2)
      let wrong = (0..<outputs).filter { $0 != target }.max { scores[$0] < scores[$1] } ?? 0
      let loss =
        outputs == 1 ? max(0, 1 - (target == 1 ? scores[0] : -scores[0])) : max(0, 1 - scores[target] + scores[wrong])
      let c = settings.aggressiveness
      let step =
        switch settings.variant {
        case .pa: loss / norm
        case .pa1: min(c, loss / norm)
        case .pa2: loss / (norm + 0.5 / c)
        }
      for column in 0...columns {
        if outputs == 1 {
          weights[0][column] += (target == 1 ? step : -step) * x[column]
        } else {
          weights[target][column] += step * x[column]
          weights[wrong][column] -= step * x[column]
        }
      }
    }
    return weights
  }

  @Test(arguments: PassiveAggressiveVariant.allCases, [2, 4]) func updatesAreThoseOfThePaper(
    variant: PassiveAggressiveVariant, classes: Int
  ) throws {
    let problem = Problem(rows: 200, columns: 5, classes: classes, seed: 6)
    var settings = LearnerSettings(.passiveAggressive, inputs: 5, outputs: classes == 2 ? 1 : classes)
    (settings.variant, settings.aggressiveness, settings.standardizes) = (variant, 0.02, false)
    let learner = try OnlineLearner(settings)
    var outcomes = Outcomes(learner.task)
    try learner.learn(problem.featureBuffer, problem.targetBuffer, rows: 0..<200, outcomes: &outcomes)
    let expected = Self.direct(problem, settings)
    for (output, weights) in expected.enumerated() {
      for column in 0..<5 {
        #expect(abs(Double(learner.parameters[output * 5 + column]) - weights[column]) < 1e-4)
      }
      #expect(abs(Double(learner.parameters[expected.count * 5 + output]) - weights[5]) < 1e-4)
    }
    #expect(learner.combines == .parameters)
  }
}
