import Kernels
import Model
import Testing

@Suite struct DeterminismTests {
  static let cases: [GradientCase] = [
    GradientCase(kind: .mlp, sizes: [33, 40, 17, 10], activation: .gelu, loss: .softmax),
    GradientCase(kind: .mlp, sizes: [33, 64, 1], activation: .tanh, loss: .logistic),
    GradientCase(kind: .mlp, sizes: [70, 16, 3], activation: .sigmoid, loss: .squared),
    GradientCase(kind: .softmax, sizes: [100, 10], activation: .relu, loss: .softmax),
    GradientCase(kind: .logistic, sizes: [101, 1], activation: .relu, loss: .logistic),
    GradientCase(kind: .svm, sizes: [50, 4], activation: .relu, loss: .hinge),
  ]

  /// Neither the capacity of a workspace, nor what it was used for before, nor where the rows stand matters to a bit.
  @Test(arguments: cases, [1, 2, 13, 64])
  func gradientIsAFunctionOfParametersAndRows(_ gradientCase: GradientCase, rows: Int) throws {
    let problem = Problem(try gradientCase.model(), rows: 80)
    let model = problem.model
    let range = 3..<3 + rows
    let expected = problem.gradient(range)

    let used = Workspace(model, rows: 80)
    _ = problem.gradient(0..<80, workspace: used)
    for index in 0..<80 * model.outputs {
      used.outputs[index] = .nan
      used.outputGradient[index] = .nan
    }
    let again = problem.gradient(range, workspace: used)
    #expect(again.loss.bitPattern == expected.loss.bitPattern)
    #expect(again.gradient.map(\.bitPattern) == expected.gradient.map(\.bitPattern))

    // The same rows at another address, with room between them.
    for (offset, gap) in [(0, 0), (1, 0), (2, 5)] {
      let view = MatrixView(offset: offset, rows: rows, columns: model.inputs, rowStride: model.inputs + gap)
      var features = FloatBuffer([Float](repeating: .nan, count: view.end))
      for row in 0..<rows {
        let start = (range.lowerBound + row) * model.inputs
        features.copy(
          from: problem.features, range: start..<start + model.inputs, to: offset + row * view.rowStride)
      }
      var targets = FloatBuffer(count: offset + rows * model.targetsPerRow)
      let first = range.lowerBound * model.targetsPerRow
      targets.copy(from: problem.targets, range: first..<first + rows * model.targetsPerRow, to: offset)
      var parameters = FloatBuffer(count: model.layout.count)
      parameters.copy(from: problem.parameters)
      var gradient = FloatBuffer([Float](repeating: .nan, count: 7 + model.layout.count))
      let loss = model.accumulateGradient(
        parameters: parameters, features: features, view: view, targets: targets, targetsOffset: offset,
        workspace: Workspace(model, rows: rows + offset), gradient: &gradient, at: 7, accumulate: false)
      #expect(loss.bitPattern == expected.loss.bitPattern)
      #expect(
        gradient.values(in: 7..<gradient.count).map(\.bitPattern) == expected.gradient.map(\.bitPattern))
    }
  }

  @Test(arguments: cases) func accumulatingAdds(_ gradientCase: GradientCase) throws {
    let problem = Problem(try gradientCase.model(), rows: 20)
    let model = problem.model
    let (first, second) = (problem.gradient(0..<12), problem.gradient(12..<20))
    var sum = FloatBuffer(first.gradient)
    _ = model.accumulateGradient(
      parameters: problem.parameters, features: problem.features, view: problem.view.rows(12..<20),
      targets: problem.targets, targetsOffset: 12 * model.targetsPerRow, workspace: Workspace(model, rows: 8),
      gradient: &sum, at: 0, accumulate: true)
    let whole = problem.gradient()
    #expect(abs(first.loss + second.loss - whole.loss) < 1e-5 * whole.loss)
    for index in 0..<sum.count { #expect(abs(sum[index] - whole.gradient[index]) < 1e-4) }
  }

  /// A large batch goes through a linear model in parts.
  @Test func manyRowsGiveTheSumOfTheirParts() throws {
    let problem = Problem(try Model(kind: .logistic, sizes: [300, 1], loss: .logistic), rows: 601)
    let (whole, first, second) = (problem.gradient(), problem.gradient(0..<300), problem.gradient(300..<601))
    #expect(abs(first.loss + second.loss - whole.loss) < 1e-6 * whole.loss)
    for index in whole.gradient.indices {
      #expect(abs(first.gradient[index] + second.gradient[index] - whole.gradient[index]) < 1e-4)
    }
  }

  @Test(arguments: cases) func noRowsGiveZero(_ gradientCase: GradientCase) throws {
    let problem = Problem(try gradientCase.model(), rows: 4)
    let none = problem.gradient(2..<2, capacity: 4)
    #expect(none.loss == 0)
    #expect(none.gradient.allSatisfy { $0 == 0 })
  }

  /// Rows where they lie give the bits of their copies: those of models that take them so, and those that lie one behind the other.
  @Test(arguments: [[70, 10, 5], [70, 16], [70, 1], [20, 30, 5]])
  func rowsInPlaceGiveTheBitsOfTheModel(sizes: [Int]) throws {
    let outputs = sizes[sizes.count - 1]
    let model = try Model(
      kind: sizes.count > 2 ? .mlp : outputs > 1 ? .softmax : .logistic, sizes: sizes,
      loss: outputs > 1 ? .softmax : .logistic)
    let problem = Problem(model, rows: 12)
    let places: [Int32] = [3, 11, 0, 5, 4, 8]
    let selections =
      [RowSelection(first: 2, count: 6)]
      + (model.takesRowsInPlace ? [RowSelection(places: places, 0..<6), RowSelection(places: places, 1..<4)] : [])
    for rows in selections {
      let copies = Problem(model, rows: rows.count)
      copies.parameters.copy(from: problem.parameters)
      copies.features.gather(rows, of: problem.features, columns: model.inputs)
      copies.targets.gather(rows, of: problem.targets, columns: model.targetsPerRow)
      let expected = copies.gradient()
      var gradient = FloatBuffer([Float](repeating: .nan, count: model.layout.count))
      let loss = model.accumulateGradient(
        parameters: problem.parameters, features: problem.features, rows: rows, targets: problem.targets,
        workspace: Workspace(model, rows: 9), gradient: &gradient, at: 0, accumulate: false)
      #expect(loss.bitPattern == expected.loss.bitPattern)
      #expect(gradient.values().map(\.bitPattern) == expected.gradient.map(\.bitPattern))
    }
  }

  /// Layers run apart, stage after stage, give the bits of the whole model.
  @Test(arguments: [[0..<1, 1..<3], [0..<2, 2..<3], [0..<1, 1..<2, 2..<3]], Activation.allCases)
  func stagesGiveTheBitsOfTheModel(ranges: [Range<Int>], activation: Activation) throws {
    let model = try Model(kind: .mlp, sizes: [20, 33, 18, 5], activation: activation, loss: .softmax)
    let problem = Problem(model, rows: 11)
    let expected = problem.gradient()

    let stages = ranges.map { model.stage(layers: $0) }
    let workspaces = stages.map { Workspace($0, rows: 16) }
    var inputs: [[Float]] = [problem.features.values()]
    for (stage, workspace) in zip(stages, workspaces) {
      let view = MatrixView(rows: 11, columns: stage.inputs)
      stage.forward(
        parameters: problem.parameters, at: stage.parameters.lowerBound, inputs: FloatBuffer(inputs[inputs.count - 1]),
        .matrix(view), workspace: workspace)
      inputs.append(workspace.outputs.values(in: 0..<workspace.outputView.count))
    }
    let loss = model.lossSum(workspaces[stages.count - 1], targets: problem.targets, targetsOffset: 0)
    #expect(loss.bitPattern == expected.loss.bitPattern)

    var gradients: [Float] = []
    for index in stages.indices.reversed() {
      let stage = stages[index]
      // A stage may as well have its parameters in a buffer of its own.
      let own = FloatBuffer(problem.parameters.values(in: stage.parameters))
      var gradient = FloatBuffer(count: stage.layout.count)
      stage.backward(
        parameters: own, inputs: FloatBuffer(inputs[index]), .matrix(MatrixView(rows: 11, columns: stage.inputs)),
        workspace: workspaces[index], gradient: &gradient, accumulate: false)
      gradients = gradient.values() + gradients
      if index > 0 {
        workspaces[index - 1].outputGradient.copy(from: workspaces[index].inputGradient, range: 0..<11 * stage.inputs)
      }
    }
    #expect(gradients.map(\.bitPattern) == expected.gradient.map(\.bitPattern))
  }
}
