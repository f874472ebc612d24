import Kernels
import Model
import Testing

@Suite struct ModelTests {
  @Test func layoutIsWeightThenBiasOfEachLayer() throws {
    let model = try Model(kind: .mlp, sizes: [4, 3, 2], loss: .softmax)
    let entries = model.layout.entries
    #expect(entries.map(\.name) == ["layers.0.weight", "layers.0.bias", "layers.1.weight", "layers.1.bias"])
    #expect(entries.map(\.shape) == [[3, 4], [3], [2, 3], [2]])
    #expect(entries.map(\.range) == [0..<12, 12..<15, 15..<21, 21..<23])
    #expect(entries.map(\.isBias) == [false, true, false, true])
    #expect(model.layout.count == 23)
    #expect(model.layout["layers.1.weight"]?.range == 15..<21)
    #expect(model.layout["layers.2.weight"] == nil)
    #expect(model.layout.range(ofLayers: 1..<2) == 15..<23)
    let stage = model.stage(layers: 1..<2)
    #expect(stage.parameters == 15..<23)
    #expect(stage.layout.entries.map(\.name) == ["layers.1.weight", "layers.1.bias"])
    #expect(stage.layout.entries.map(\.range) == [0..<6, 6..<8])
    #expect(!stage.isFirst && stage.isLast)
  }

  @Test func impossibleModelsAreRefused() {
    #expect(throws: ModelError.self) { try Model(kind: .linear, sizes: [4], loss: .squared) }
    #expect(throws: ModelError.self) { try Model(kind: .linear, sizes: [4, 0], loss: .squared) }
    #expect(throws: ModelError.self) { try Model(kind: .linear, sizes: [4, 3, 1], loss: .squared) }
    #expect(throws: ModelError.self) { try Model(kind: .mlp, sizes: [4, 1], loss: .squared) }
    #expect(throws: ModelError.self) { try Model(kind: .softmax, sizes: [4, 1], loss: .softmax) }
    #expect(throws: ModelError.self) { try Model(kind: .svm, sizes: [4, 1], loss: .logistic) }
    let huge = Int(Int32.max)
    let error = #expect(throws: ModelError.self) {
      try Model(kind: .mlp, sizes: [huge, huge, huge, huge], loss: .squared)
    }
    #expect(error?.description == "layer 0 of \(huge) inputs and \(huge) outputs is too large")
  }

  /// The law of `nn.Linear`: uniform within ±1/√inputs, weights and biases alike.
  @Test func firstParametersFollowTheLaw() throws {
    let model = try Model(kind: .mlp, sizes: [100, 400, 25], loss: .squared)
    var parameters = FloatBuffer(count: model.layout.count)
    model.initialize(&parameters, seed: 1)
    for entry in model.layout.entries {
      let bound = 1 / Double(model.sizes[entry.layer]).squareRoot()
      let values = parameters.values(in: entry.range).map(Double.init)
      #expect(values.allSatisfy { abs($0) <= bound })
      let mean = values.reduce(0, +) / Double(values.count)
      let variance = values.reduce(0) { $0 + $1 * $1 } / Double(values.count)
      // Five standard errors.
      let count = Double(values.count).squareRoot()
      #expect(abs(mean) < 5 * bound / 3.0.squareRoot() / count)
      #expect(abs(variance - bound * bound / 3) < 5 * bound * bound * (4.0 / 45).squareRoot() / count)
    }
    #expect(Set(parameters.values()).count > model.layout.count * 9 / 10)
  }

  @Test func firstParametersAreAFunctionOfTheSeed() throws {
    let model = try Model(kind: .mlp, sizes: [7, 5, 3, 2], loss: .squared)
    func parameters(seed: UInt64) -> [Float] {
      var parameters = FloatBuffer(count: model.layout.count)
      model.initialize(&parameters, seed: seed)
      return parameters.values()
    }
    let first = parameters(seed: 1)
    #expect(first == parameters(seed: 1))
    #expect(zip(first, parameters(seed: 2)).allSatisfy { $0 != $1 })
    // Stages make their part of it.
    let stage = model.stage(layers: 1..<3)
    var part = FloatBuffer(count: stage.layout.count)
    stage.initialize(&part, seed: 1)
    #expect(part.values() == Array(first[stage.parameters]))
  }

  @Test func targetsOfEachLoss() {
    #expect(Loss.squared.targetMeaning(outputs: 3) == .values && Loss.squared.targetsPerRow(outputs: 3) == 3)
    #expect(Loss.logistic.targetMeaning(outputs: 3) == .binary && Loss.logistic.targetsPerRow(outputs: 3) == 3)
    #expect(Loss.hinge.targetMeaning(outputs: 1) == .binary && Loss.hinge.targetsPerRow(outputs: 1) == 1)
    #expect(Loss.hinge.targetMeaning(outputs: 3) == .classIndex && Loss.hinge.targetsPerRow(outputs: 3) == 1)
    #expect(Loss.softmax.targetMeaning(outputs: 3) == .classIndex && Loss.softmax.targetsPerRow(outputs: 3) == 1)
    #expect(Loss(rawValue: "squared_hinge") == .squaredHinge)
  }

  @Test func outputsBecomeProbabilities() throws {
    let model = try Model(kind: .softmax, sizes: [2, 3], loss: .softmax)
    let problem = Problem(model, rows: 6)
    let workspace = Workspace(model, rows: 6)
    model.forward(
      parameters: problem.parameters, features: problem.features, view: problem.view, workspace: workspace)
    let classes = (0..<6).map { model.predictedClass(row: $0, workspace) }
    model.transformOutputs(workspace)
    #expect(model.outputMeaning == .probabilities)
    for row in 0..<6 {
      let values = workspace.outputs.values(in: row * 3..<row * 3 + 3)
      #expect(abs(values.reduce(0, +) - 1) < 1e-6)
      #expect(classes[row] == values.firstIndex(of: values.reduce(0, max)))
    }
    let binary = try Model(kind: .logistic, sizes: [2, 1], loss: .logistic)
    let single = Workspace(binary, rows: 1)
    binary.forward(
      parameters: FloatBuffer([1, 1, 0.5]), features: FloatBuffer([1, -1]), view: MatrixView(rows: 1, columns: 2),
      workspace: single)
    #expect(binary.predictedClass(row: 0, single) == 1)
    binary.transformOutputs(single)
    #expect(abs(single.outputs[0] - 0.62245933) < 1e-6)
  }

  @Test func plansKnowTheSizeOfAWorkspace() throws {
    let model = try Model(kind: .mlp, sizes: [10, 4, 3], activation: .gelu, loss: .softmax)
    #expect(Workspace.floats(model.stage, rows: 2) == 2 * (3 * 4 + 2 * 3 + 3))
    #expect(Workspace.floats(model.stage(layers: 1..<2), rows: 2) == 2 * (4 + 2 * 3 + 3))
    #expect(Workspace.floats(model.stage, rows: .max / 2) == .max)
  }
}
