import AllocationCount
import Kernels
import Model
import Optimization
import Testing

@Suite struct AllocationTests {
  /// Gradient and update of every kind of layer and loss ask for no memory once each number of rows was seen.
  @Test(arguments: [
    (ModelKind.mlp, [40, 33, 17, 10], Activation.gelu, Loss.softmax, OptimizerKind.adam),
    (.mlp, [784, 10, 10], .relu, .softmax, .sgd), (.mlp, [20, 8, 3], .tanh, .squared, .ftrl),
    (.mlp, [20, 8, 1], .sigmoid, .logistic, .rmsprop), (.softmax, [100, 10], .relu, .softmax, .momentum),
    (.svm, [50, 4], .relu, .hinge, .adamw), (.logistic, [28, 1], .relu, .logistic, .adagrad),
    (.linear, [28, 2], .relu, .huber, .nesterov),
  ])
  func aStepAllocatesNothing(
    kind: ModelKind, sizes: [Int], activation: Activation, loss: Loss, optimizer: OptimizerKind
  ) throws {
    let model = try Model(kind: kind, sizes: sizes, activation: activation, loss: loss)
    let rows = 70
    let workspace = Workspace(model, rows: rows)
    var optimizer = Optimizer(
      OptimizerSettings(optimizer), penalty: Penalty(l1: 1e-4, l2: 1e-3), layout: model.layout)
    var parameters = FloatBuffer(count: model.layout.count)
    model.initialize(&parameters, seed: 1)
    var features = FloatBuffer(count: rows * model.inputs)
    features.fill(with: 0.5)
    let targets = FloatBuffer(count: rows * model.targetsPerRow)
    var gradient = FloatBuffer(count: model.layout.count)
    var counts: [Int] = []
    // The first round of each path through the code pays for what the runtime makes once.
    let rounds = [70, 1, 33, 70, 1, 33]
    counts.reserveCapacity(rounds.count)
    for rows in rounds {
      let before = allocations_of_thread()
      _ = model.accumulateGradient(
        parameters: parameters, features: features, view: MatrixView(rows: rows, columns: model.inputs),
        targets: targets, targetsOffset: 0, workspace: workspace, gradient: &gradient, at: 0, accumulate: false)
      let scale = clipScale(norm: Reduce.orderedSumOfSquares(gradient, 0..<gradient.count).squareRoot(), limit: 1)
      optimizer.update(
        parameters: &parameters, gradient: gradient, scale: Float(scale) / Float(rows), learningRate: 1e-3)
      counts.append(allocations_of_thread() - before)
    }
    #if DEBUG
      // Unoptimised code puts literals of arrays on the heap: the same ones each time.
      #expect(Set(counts.suffix(3)).count == 1)
    #else
      #expect(counts.suffix(3) == [0, 0, 0])
    #endif
  }

  @Test func buffersAndArraysAreCounted() {
    let before = allocations_of_thread()
    let buffer = FloatBuffer(count: 1000)
    let afterBuffer = allocations_of_thread()
    let array = [Float](repeating: 1, count: buffer.count)
    #expect(afterBuffer == before + 1)
    #expect(allocations_of_thread() > afterBuffer && array.count == 1000)
  }
}
