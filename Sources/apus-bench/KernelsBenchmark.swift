import Files
import Kernels
import Model
import Optimization
import Text

/// The three matrix products of a dense layer, against the fastest product that needs no memory; a linear model and the
/// update of parameters, against reading and writing the same bytes.
enum KernelsBenchmark {
  private static let shapes = [
    (16, 10, 784), (16, 16, 16), (128, 10, 256), (64, 64, 64), (128, 256, 512), (128, 512, 784), (256, 1024, 1024),
    (256, 4096, 4096),
  ]

  static func run() {
    // Operands that stay in the nearest caches.
    let small = products(rows: 48, outputs: 32, inputs: 256) + products(rows: 128, outputs: 10, inputs: 256)
    let limit = small.max() ?? 0
    say("limit of products: \(fixed(limit, decimals: 1)) GFLOP/s")
    for (rows, outputs, inputs) in shapes {
      let speeds = products(rows: rows, outputs: outputs, inputs: inputs)
      let texts = speeds.map { "\(fixed($0, decimals: 1)) (\(fixed($0 / limit, decimals: 2)))" }
      say(
        "product \(rows) x \(inputs) -> \(outputs): forward \(texts[0]), input \(texts[1]), weight \(texts[2]) GFLOP/s")
    }
    linear(rows: 1024, inputs: 100)
    linear(rows: 1024, inputs: 784)
    update(.adam)
    update(.sgd)
  }

  /// GFLOP/s of the forward product, the gradient of the inputs and that of the weights.
  static func products(rows: Int, outputs: Int, inputs: Int) -> [Double] {
    var x = FloatBuffer(count: rows * inputs)
    x.fill(with: 0.5)
    var weights = FloatBuffer(count: outputs * inputs)
    weights.fill(with: 0.25)
    var y = FloatBuffer(count: rows * outputs)
    var gradient = FloatBuffer(count: outputs * inputs)
    let xView = MatrixView(rows: rows, columns: inputs)
    let yView = MatrixView(rows: rows, columns: outputs)
    let weightsView = MatrixView(rows: outputs, columns: inputs)
    let flops = 2 * Double(rows * outputs * inputs)
    let forward = shortest(flops) { Multiply.forward(x, xView, weights: weights, weightsView, into: &y, yView) }
    let weight = shortest(flops) {
      Multiply.weightGradient(y, yView, x, xView, into: &gradient, weightsView, accumulate: false)
    }
    let input = shortest(flops) {
      Multiply.inputGradient(y, yView, weights: weights, weightsView, into: &x, xView)
    }
    return [forward, input, weight].map { flops / $0 / 1e9 }
  }

  private static func linear(rows: Int, inputs: Int) {
    guard let model = try? Model(kind: .logistic, sizes: [inputs, 1], loss: .logistic) else { return }
    let parameters = FloatBuffer(count: model.layout.count)
    let features = FloatBuffer(count: rows * inputs)
    let targets = FloatBuffer(count: rows)
    var gradient = FloatBuffer(count: model.layout.count)
    let workspace = Workspace(model, rows: rows)
    let bytes = 4 * rows * inputs
    let seconds = shortest(Double(bytes)) {
      _ = model.accumulateGradient(
        parameters: parameters, features: features, rows: RowSelection(first: 0, count: rows), targets: targets,
        workspace: workspace, gradient: &gradient, at: 0, accumulate: false)
    }
    let reading = shortest(Double(bytes)) { _ = Reduce.sum(features, 0..<features.count) }
    report("logistic \(rows) x \(inputs)", seconds, limit: reading, "reading the rows once")
  }

  private static func update(_ kind: OptimizerKind) {
    guard let model = try? Model(kind: .mlp, sizes: [784, 512, 256, 10], loss: .softmax) else { return }
    let count = model.layout.count
    var optimizer = Optimizer(OptimizerSettings(kind), layout: model.layout)
    var parameters = FloatBuffer(count: count)
    let gradient = FloatBuffer(count: count)
    let seconds = shortest(Double(4 * count)) {
      optimizer.update(parameters: &parameters, gradient: gradient, scale: 1, learningRate: 1e-3)
    }
    // As many buffers written as the step writes, each from one that is read.
    let written = 1 + optimizer.stateNames.count
    var copies = FloatBuffer(count: written * count)
    let sources = FloatBuffer(count: written * count)
    let copying = shortest(Double(4 * written * count)) { copies.copy(from: sources) }
    report(
      "update \(kind.rawValue) of \(grouped(count)) parameters", seconds, limit: copying,
      "copying what it writes")
  }

  /// The shortest time of many calls: neighbours on the machine only ever make it longer. About 10 GB or GFLOP in all.
  private static func shortest(_ work: Double, _ body: () -> Void) -> Double {
    body()
    // Short calls are timed together, since reading the clock takes as long.
    let together = max(1, Int(1e5 / work))
    var best = Double.infinity
    for _ in 0..<min(max(Int(1e10 / work) / together, 5), 2000) {
      let start = ContinuousClock.now
      for _ in 0..<together { body() }
      best = min(best, (ContinuousClock.now - start) / .seconds(1) / Double(together))
    }
    return best
  }

  private static func report(_ what: String, _ seconds: Double, limit: Double, _ limitIs: String) {
    say(
      "\(what): \(fixed(seconds * 1e6, decimals: 1)) us, limit \(fixed(limit * 1e6, decimals: 1)) (\(limitIs)),"
        + " ratio \(fixed(seconds / limit, decimals: 2))")
  }

  private static func say(_ line: String) { StandardStream.output.write(line + "\n") }
}
