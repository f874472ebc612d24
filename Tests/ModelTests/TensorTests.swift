import Kernels
import Model
import Testing

/// Layers split among ranks, against the whole model.
@Suite struct TensorTests {
  /// Every loss on scores that are whole and scores that are split, every activation, one layer to five.
  static let cases: [GradientCase] = {
    var cases = GradientCase.all
    for loss in Loss.allCases {
      cases.append(GradientCase(kind: .mlp, sizes: [5, 6, 8, 20], activation: .tanh, loss: loss))
      cases.append(GradientCase(kind: .mlp, sizes: [9, 6, 7, 5, 8, 11], activation: .gelu, loss: loss))
    }
    cases.append(GradientCase(kind: .softmax, sizes: [6, 30], activation: .relu, loss: .softmax))
    cases.append(GradientCase(kind: .mlp, sizes: [6, 5, 100], activation: .sigmoid, loss: .softmax))
    return cases
  }()

  /// How the layers of a stage are cut; `nil` where they cannot be.
  private static func splits(_ model: Model, _ ranks: Int, _ layers: Range<Int>? = nil) -> [LayerSplit]? {
    let stage = try? model.stage(layers: layers ?? 0..<model.depth, tensor: TensorPlace(index: 0, count: ranks))
    return stage?.layers.map(\.split)
  }

  @Test func theCasesMeetEveryWay() throws {
    var seen: Set<String> = []
    for one in Self.cases {
      for ranks in 2...4 {
        guard let splits = Self.splits(try one.model(), ranks) else { continue }
        let last = splits[splits.count - 1]
        seen.formUnion(splits.map { "\($0)" })
        if last == .outputs { seen.insert("split \(one.loss)") }
        seen.insert("\(splits.count) layers")
      }
    }
    let losses = Set(Loss.allCases.map { "split \($0)" })
    #expect(
      seen == losses.union(["outputs", "inputs", "slicedInputs", "1 layers", "2 layers", "3 layers", "5 layers"]))
  }

  @Test(arguments: cases, [2, 3, 4])
  func partsFollowTheWholeModel(_ gradientCase: GradientCase, ranks: Int) throws {
    let model = try gradientCase.model()
    guard Self.splits(model, ranks) != nil else { return }
    for rows in [1, 9] {
      let problem = Problem(model, rows: rows, seed: 3)
      try compare(try problem.split(ranks, stages: [0..<model.depth]), problem)
    }
  }

  @Test(
    arguments: [[0..<2, 2..<5], [0..<1, 1..<2, 2..<5], [0..<3, 3..<4, 4..<5], [0..<1, 1..<2, 2..<3, 3..<4, 4..<5]],
    [2, 3, 5])
  func stagesAreSplitToo(stages: [Range<Int>], ranks: Int) throws {
    for (activation, loss) in [(Activation.relu, Loss.softmax), (.gelu, .squared), (.tanh, .hinge)] {
      let model = try Model(kind: .mlp, sizes: [9, 6, 7, 5, 8, 11], activation: activation, loss: loss)
      let problem = Problem(model, rows: 7, seed: 5)
      try compare(try problem.split(ranks, stages: stages), problem)
    }
  }

  private func compare(_ result: TensorResult, _ problem: Problem) throws {
    let model = problem.model
    let (loss, gradient) = problem.gradient()
    #expect(abs(result.loss - loss) <= 2e-6 * (1 + loss))
    let largest = gradient.reduce(1e-3) { max($0, abs($1)) }
    for (index, (value, truth)) in zip(result.gradient(model.layout), gradient).enumerated()
    where !(abs(value - truth) <= 5e-6 * largest) {
      Issue.record("parameter \(index): \(value), whole \(truth)")
    }
    let workspace = Workspace(model, rows: problem.rows)
    model.forward(
      parameters: problem.parameters, features: problem.features, view: problem.view, workspace: workspace)
    for (stage, parts) in result.parts.enumerated() {
      let first = parts[0]
      for part in parts {
        // What all ranks have is the same bits on all.
        #expect(part.inputGradient.map(\.bitPattern) == first.inputGradient.map(\.bitPattern))
        #expect(part.scores.map(\.bitPattern) == first.scores.map(\.bitPattern))
        if stage < result.parts.count - 1 {
          #expect(part.outputs.map(\.bitPattern) == first.outputs.map(\.bitPattern))
        }
        for (entry, other) in zip(part.stage.layout.entries, first.stage.layout.entries) where entry.isReplicated {
          #expect(part.gradient[entry.range].map(\.bitPattern) == first.gradient[other.range].map(\.bitPattern))
        }
        // The plan knows every call.
        let transfers = part.stage.transfers
        let planned = transfers.forward + transfers.loss + transfers.backward
        #expect(part.calls == planned.map { ThreadExchange.Call($0, rows: problem.rows) })
      }
    }
    let scores = result.parts[result.parts.count - 1][0].scores
    for (score, truth) in zip(scores, workspace.outputs.values()) where !(abs(score - truth) <= 1e-5 * (1 + abs(truth)))
    {
      Issue.record("score \(score), whole \(truth)")
    }
  }

  /// Against differences of the loss, and not only against what the whole model computes.
  @Test(arguments: Loss.allCases, [2, 3])
  func agreesWithFiniteDifferences(loss: Loss, ranks: Int) throws {
    for sizes in [[4, 5, 3, 9], [5, 4, 6, 4]] {
      let problem = Problem(try Model(kind: .mlp, sizes: sizes, activation: .gelu, loss: loss), rows: 4, seed: 3)
      let result = try problem.split(ranks, stages: [0..<3])
      let expected = ReferenceModel(problem.model).gradient(
        problem.parameters.values().map(Double.init), problem.featureRows, problem.targetRows)
      let largest = expected.reduce(1e-3) { max($0, abs($1)) }
      for (index, (value, truth)) in zip(result.gradient(problem.model.layout), expected).enumerated()
      where !(abs(Double(value) - truth) <= 1e-5 * largest) {
        Issue.record("parameter \(index): \(value), by differences \(truth)")
      }
    }
  }

  @Test func noRowsGiveZero() throws {
    for one in Self.cases {
      let model = try one.model()
      guard Self.splits(model, 3) != nil else { continue }
      let result = try Problem(model, rows: 0).split(3, stages: [0..<model.depth])
      #expect(result.loss == 0)
      #expect(result.gradient(model.layout).allSatisfy { $0 == 0 })
    }
  }

  /// A row whose scores are as large as Float allows, whichever rank has them.
  @Test(arguments: [2, 3, 4]) func extremeScoresStayFinite(ranks: Int) throws {
    let model = try Model(kind: .softmax, sizes: [1, 24], loss: .softmax)
    let problem = Problem(model, rows: 24)
    problem.features.fill(with: 1)
    problem.parameters.fill(with: 0)
    for (index, score) in [Float(1000), -1000, 3e38, -3e37, 1e-30].enumerated() {
      // The bias of one class on each rank, and then some.
      problem.parameters[24 + (index * 7 + 3) % 24] = score
    }
    for row in 0..<24 { problem.targets[row] = Float(row) }
    #expect(Self.splits(model, ranks) == [.outputs])
    let (loss, gradient) = problem.gradient()
    let result = try problem.split(ranks, stages: [0..<1])
    #expect(loss.isFinite && abs(result.loss - loss) <= 1e-6 * loss)
    for (value, truth) in zip(result.gradient(model.layout), gradient) { #expect(abs(value - truth) <= 1e-5) }
  }
}

extension ThreadExchange.Call {
  /// What a planned call is for a pass of `rows` rows.
  init(_ transfer: LayerTransfer, rows: Int) {
    switch transfer {
    case .sum(let floats): self = .sum(floats * rows)
    case .gather(let units, let width): self = .gather(units: units, width: width * rows)
    }
  }
}
