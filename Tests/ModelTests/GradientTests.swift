import Kernels
import Model
import Testing

/// What a gradient is computed for.
struct GradientCase: Sendable, CustomTestStringConvertible {
  let kind: ModelKind
  let sizes: [Int]
  let activation: Activation
  let loss: Loss
  var testDescription: String { "\(kind) \(sizes) \(activation) \(loss)" }

  /// Every loss on one layer with one and several outputs, and every loss behind every activation.
  static let all: [GradientCase] = {
    var cases: [GradientCase] = []
    for kind in ModelKind.allCases where kind != .mlp {
      for loss in kind.losses {
        for outputs in [1, 2, 5] where loss != .softmax || outputs > 1 {
          cases.append(GradientCase(kind: kind, sizes: [6, outputs], activation: .relu, loss: loss))
        }
      }
    }
    for activation in Activation.allCases {
      for loss in Loss.allCases {
        let outputs = loss == .softmax ? 4 : 3
        cases.append(GradientCase(kind: .mlp, sizes: [5, 18, 7, outputs], activation: activation, loss: loss))
      }
      cases.append(GradientCase(kind: .mlp, sizes: [4, 1, 3, 1], activation: activation, loss: .logistic))
      cases.append(GradientCase(kind: .mlp, sizes: [1, 5, 1], activation: activation, loss: .hinge))
    }
    return cases
  }()

  func model() throws -> Model { try Model(kind: kind, sizes: sizes, activation: activation, loss: loss) }
}

@Suite struct GradientTests {
  @Test(arguments: GradientCase.all, [1, 9])
  func agreesWithFiniteDifferences(_ gradientCase: GradientCase, rows: Int) throws {
    let problem = Problem(try gradientCase.model(), rows: rows, seed: 3)
    let reference = ReferenceModel(problem.model)
    let parameters = problem.parameters.values().map(Double.init)
    let (loss, gradient) = problem.gradient()

    let expectedLoss = reference.lossSum(parameters, problem.featureRows, problem.targetRows)
    #expect(abs(loss - expectedLoss) <= 2e-6 * (1 + expectedLoss))

    let expected = reference.gradient(parameters, problem.featureRows, problem.targetRows)
    let largest = expected.reduce(1e-3) { max($0, abs($1)) }
    for (index, (value, truth)) in zip(gradient, expected).enumerated()
    where !(abs(Double(value) - truth) <= 1e-5 * largest) {
      Issue.record("parameter \(index): \(value), by differences \(truth)")
    }
  }

  @Test(arguments: [Loss.logistic, .softmax])
  func extremeScoresStayFinite(loss: Loss) throws {
    let model = try Model(kind: .mlp, sizes: [1, 1, 2], activation: .relu, loss: loss)
    let workspace = Workspace(model, rows: 4)
    let (scores, targets): ([Float], [Float]) = (
      [1000, -1000, -1000, 1000, 3e38, -3e38, 0, 0], loss == .softmax ? [0, 0, 0, 1] : [1, 0, 1, 0, 1, 0, 1, 1]
    )
    let features = FloatBuffer(count: 4)
    model.forward(
      parameters: FloatBuffer(count: model.layout.count), features: features, view: MatrixView(rows: 4, columns: 1),
      workspace: workspace)
    workspace.outputs.copy(from: scores)
    let sum = model.lossSum(workspace, targets: FloatBuffer(targets), targetsOffset: 0)
    // Right by far is 0, wrong by far is linear, 0 is ln 2.
    let expected = loss == .softmax ? 2000 + 0.693147180559945 : (1000 + 1000) / 2 + 0.693147180559945
    #expect(abs(sum - expected) < 1e-3)
    let slopes = workspace.outputGradient.values()
    let known: [Float] =
      loss == .softmax ? [0, 0, -1, 1, 0, 0, 0.5, -0.5] : [0, 0, -0.5, 0.5, 0, 0, -0.25, -0.25]
    #expect(slopes == known)
  }

  /// PyTorch's choices on kinks: relu 0 at 0, |0| 0, the hinge at its corner counts.
  @Test func kinks() throws {
    func slope(_ loss: Loss, score: Float, target: Float) throws -> Float {
      let model = try Model(kind: .mlp, sizes: [1, 1, 1], loss: loss)
      let workspace = Workspace(model, rows: 1)
      model.forward(
        parameters: FloatBuffer(count: 4), features: FloatBuffer(count: 1), view: MatrixView(rows: 1, columns: 1),
        workspace: workspace)
      workspace.outputs[0] = score
      _ = model.lossSum(workspace, targets: FloatBuffer([target]), targetsOffset: 0)
      return workspace.outputGradient[0]
    }
    #expect(try slope(.absolute, score: 2, target: 2) == 0)
    #expect(try slope(.hinge, score: 1, target: 1) == -1)
    #expect(try slope(.hinge, score: -1, target: 0) == 1)
    #expect(try slope(.squaredHinge, score: 1, target: 1) == 0)
    #expect(try slope(.huber, score: 1, target: 0) == 1)
    var gradient = FloatBuffer([1])
    Elementwise.multiplyByReluSlope(&gradient, 0..<1, values: FloatBuffer([0]))
    #expect(gradient[0] == 0)
  }
}
