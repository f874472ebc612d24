import JSON
import Kernels
import Online
import Testing

@Suite struct LeastSquaresTests {
  /// The weighted least-squares solution by normal equations in a longer format, the bias last.
  private static func solution(_ problem: Problem, weights: [Double]) -> [Double] {
    let size = problem.columns + 1
    var matrix = [[Float80]](repeating: [Float80](repeating: 0, count: size + 1), count: size)
    for row in 0..<problem.count {
      let values = problem.features[row * problem.columns..<(row + 1) * problem.columns].map { Float80($0) } + [1]
      let right = values + [Float80(problem.targets[row])]
      for i in 0..<size {
        for j in 0...size { matrix[i][j] += Float80(weights[row]) * values[i] * right[j] }
      }
    }
    for pivot in 0..<size {
      let best = (pivot..<size).max { matrix[$0][pivot].magnitude < matrix[$1][pivot].magnitude } ?? pivot
      matrix.swapAt(pivot, best)
      for row in 0..<size where row != pivot {
        let factor = matrix[row][pivot] / matrix[pivot][pivot]
        for column in pivot...size { matrix[row][column] -= factor * matrix[pivot][column] }
      }
    }
    return (0..<size).map { Double(matrix[$0][size] / matrix[$0][$0]) }
  }

  private static func learner(forgetting: Double, shares: Bool = false) throws -> OnlineLearner {
    var settings = LearnerSettings(.rls, inputs: 9, outputs: 1)
    settings.forgetting = forgetting
    return try OnlineLearner(settings, sharesEvidence: shares)
  }

  private func check(_ solution: [Double]?, _ expected: [Double], _ bound: Double) throws {
    let solution = try #require(solution)
    let scale = expected.map(\.magnitude).max() ?? 1
    for (own, value) in zip(solution, expected) { #expect(abs(own - value) < bound * scale) }
  }

  @Test(arguments: [1, 0.99]) func isTheBatchSolution(forgetting: Double) throws {
    let problem = Problem(rows: 2000, columns: 9, classes: 0, seed: 8)
    let learner = try Self.learner(forgetting: forgetting)
    var outcomes = Outcomes(learner.task)
    try learner.learn(problem.featureBuffer, problem.targetBuffer, rows: 0..<2000, outcomes: &outcomes)
    let weights = (0..<2000).map { ScalarMath.power(forgetting, Double(1999 - $0)) }
    try check(learner.leastSquares, Self.solution(problem, weights: weights), 1e-8)
    #expect(learner.combines == .evidence && learner.steps == 2000)
  }

  /// Predicted in batches, the solution in the end is the same.
  @Test func batchesMakeTheSameSolution() throws {
    let problem = Problem(rows: 1000, columns: 9, classes: 0, seed: 8)
    let (one, many) = (try Self.learner(forgetting: 1), try Self.learner(forgetting: 1))
    var outcomes = Outcomes(one.task)
    try one.learn(problem.featureBuffer, problem.targetBuffer, rows: 0..<1000, outcomes: &outcomes)
    try many.learn(problem.featureBuffer, problem.targetBuffer, rows: 0..<1000, rowsPerStep: 64, outcomes: &outcomes)
    #expect(one.json == many.json)
  }

  /// Ranks that exchange now and then have the solution of all rows.
  @Test(arguments: [1, 2, 3, 4]) func ranksHaveTheSolutionOfAllRows(ranks: Int) throws {
    let problem = Problem(rows: 960, columns: 9, classes: 0, seed: 5)
    var learners = try (0..<ranks).map { _ in try Self.learner(forgetting: 1, shares: true) }
    var outcomes = Outcomes(learners[0].task)
    let features = problem.featureBuffer
    let targets = problem.targetBuffer
    for row in 0..<960 {
      try learners[row % ranks].learn(features, targets, rows: row..<row + 1, outcomes: &outcomes)
      guard row % 120 == 119 else { continue }
      let evidence = learners.map { $0.takeEvidence() }
      for learner in learners { try learner.absorb(evidence) }
      if row == 479 {
        learners = try learners.map { learner in
          let json = try JSONNode(parsing: Array(learner.json.serialized().utf8))
          let resumed = try OnlineLearner(learner.settings, sharesEvidence: true, json: json)
          #expect(resumed.json == learner.json)
          return resumed
        }
      }
    }
    for learner in learners {
      #expect(learner.leastSquares == learners[0].leastSquares && learner.steps == 960)
      try check(learner.leastSquares, Self.solution(problem, weights: [Double](repeating: 1, count: 960)), 1e-8)
    }
    #expect(throws: OnlineError.self) { try learners[0].absorb([[1, 2, 3]]) }
  }

  /// Before there are as many rows as columns, and where columns repeat each other, the numbers stay finite and fit the rows.
  @Test func whatRowsDoNotDecideIsZero() throws {
    let problem = Problem(rows: 400, columns: 9, classes: 0, seed: 2)
    var values = problem.features
    for row in 0..<400 {
      values[row * 9 + 4] = 2 * values[row * 9 + 1]
      values[row * 9 + 6] = 0
      values[row * 9 + 7] = 1
    }
    let learner = try Self.learner(forgetting: 1)
    var outcomes = Outcomes(learner.task)
    try learner.learn(FloatBuffer(values), problem.targetBuffer, rows: 0..<400, outcomes: &outcomes)
    let solution = try #require(learner.leastSquares)
    #expect(solution.allSatisfy { $0.isFinite && $0.magnitude < 100 } && solution[6] == 0)
    #expect(outcomes.losses.allSatisfy { $0.isFinite })
  }
}
