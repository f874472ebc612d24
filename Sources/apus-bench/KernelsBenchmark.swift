import Files
import Kernels
import Model
import Optimization
import Text

/// The three matrix products of a dense layer, and the update of its parameters.
enum KernelsBenchmark {
  private static let shapes = [(16, 10, 784), (128, 512, 784), (256, 1024, 1024)]

  static func run() {
    for (rows, outputs, inputs) in shapes {
      var x = FloatBuffer(count: rows * inputs)
      x.fill(with: 0.5)
      var weights = FloatBuffer(count: outputs * inputs)
      weights.fill(with: 0.25)
      var y = FloatBuffer(count: rows * outputs)
      var gradient = FloatBuffer(count: outputs * inputs)
      let xView = MatrixView(rows: rows, columns: inputs)
      let yView = MatrixView(rows: rows, columns: outputs)
      let weightsView = MatrixView(rows: outputs, columns: inputs)
      let forward = Bench.median(of: 50) { Multiply.forward(x, xView, weights: weights, weightsView, into: &y, yView) }
      let input = Bench.median(of: 50) {
        Multiply.inputGradient(y, yView, weights: weights, weightsView, into: &x, xView)
      }
      let weight = Bench.median(of: 50) {
        Multiply.weightGradient(y, yView, x, xView, into: &gradient, weightsView, accumulate: false)
      }
      let flops = 2 * Double(rows * outputs * inputs) / 1e9
      func speed(_ seconds: Double) -> String { padded(fixed(flops / seconds, decimals: 1), to: 6, .right) }
      StandardStream.output.write(
        "product \(rows)x\(outputs)x\(inputs): forward \(speed(forward)), input \(speed(input)), weight \(speed(weight)) GFLOP/s\n"
      )
    }
    update(.adam)
    update(.sgd)
  }

  private static func update(_ kind: OptimizerKind) {
    guard let model = try? Model(kind: .mlp, sizes: [784, 512, 256, 10], loss: .softmax) else { return }
    let count = model.layout.count
    var optimizer = Optimizer(OptimizerSettings(kind), layout: model.layout)
    var parameters = FloatBuffer(count: count)
    let gradient = FloatBuffer(count: count)
    let seconds = Bench.median(of: 50) {
      optimizer.update(parameters: &parameters, gradient: gradient, scale: 1, learningRate: 1e-3)
    }
    StandardStream.output.write(
      "update \(kind.rawValue) of \(grouped(count)) parameters: \(fixed(seconds / Double(count) * 1e9, decimals: 2)) ns each\n"
    )
  }
}
