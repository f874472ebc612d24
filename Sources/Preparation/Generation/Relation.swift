internal import JSON
internal import Kernels

/// What the target of a synthetic row is, by its features: the parameters that a training is to find.
struct Relation: Sendable {
  /// One dense layer, row-major: a row of weights and a bias an output.
  struct Layer: Sendable {
    let inputs: Int
    let outputs: Int
    /// Shape [inputs, outputs], so that the loop over outputs, whose sums are apart, is the inner one.
    private let weights: [Double]
    let biases: [Double]

    /// Normal weights of the deviation `scale`, and normal biases of the deviation `bias`.
    init(inputs: Int, outputs: Int, scale: Double, bias: Double, from stream: inout RandomStream) {
      self.inputs = inputs
      self.outputs = outputs
      weights = (0..<inputs * outputs).map { _ in scale * stream.normal() }
      biases = (0..<outputs).map { _ in bias * stream.normal() }
    }

    /// The outputs for `inputs` values. The order of each sum is that of the inputs.
    func apply(_ values: [Double], into results: inout [Double]) {
      let values = values.span
      var sums = results.mutableSpan
      for output in 0..<outputs { sums[output] = biases[output] }
      let weights = self.weights.span
      for input in 0..<inputs {
        let value = values[input]
        let first = input * outputs
        for output in 0..<outputs { sums[output] += value * weights[first + output] }
      }
    }

    /// The weights that lead to `output`.
    func weights(of output: Int) -> [Double] { (0..<inputs).map { weights[$0 * outputs + output] } }
  }

  private enum Form: Sendable {
    case layer(Layer)
    case network(Layer, Layer)
    /// Centres [classes, columns].
    case centres([Double])
  }

  private let request: GenerationRequest
  private let form: Form

  /// The parameters of relation `number`: 0 before a drift, 1 after it.
  init(_ request: GenerationRequest, number: Int) {
    self.request = request
    var stream = RowStreams.stream(.parameters, seed: request.seed, UInt64(number))
    let columns = request.columns
    switch request.kind {
    case .linear:
      form = .layer(Layer(inputs: columns, outputs: 1, scale: 1, bias: 1, from: &stream))
    case .logistic:
      // Logits of a deviation of about 3: most rows are clear, many are not.
      let classes = request.classCount ?? 2
      let scale = 3 / Double(columns).squareRoot()
      form = .layer(
        Layer(inputs: columns, outputs: classes == 2 ? 1 : classes, scale: scale, bias: 1, from: &stream))
    case .blobs:
      let count = (request.classCount ?? 1) * columns
      form = .centres((0..<count).map { _ in 20 * Double(stream.uniform()) - 10 })
    case .teacher:
      // The variances that keep the size of the signal (He et al. 2015).
      let first = Layer(
        inputs: columns, outputs: request.hidden, scale: (2 / Double(columns)).squareRoot(), bias: 0.5, from: &stream)
      let second = Layer(
        inputs: request.hidden, outputs: request.classCount ?? 1, scale: (2 / Double(request.hidden)).squareRoot(),
        bias: 0, from: &stream)
      form = .network(first, second)
    }
  }

  /// Fills `features` with the row that `streams` stand at, and gives its target.
  func row(_ streams: inout RowStreams, features: inout [Double], scratch: inout Scratch) -> Double {
    switch form {
    case .centres(let centres):
      let blob = streams.targets.below(request.classCount ?? 1)
      for column in features.indices {
        features[column] = centres[blob * features.count + column] + request.deviation * streams.features.normal()
      }
      return Double(blob)
    case .layer(let layer):
      for column in features.indices { features[column] = streams.features.normal() }
      layer.apply(features, into: &scratch.outputs)
      if request.kind == .linear { return scratch.outputs[0] + request.deviation * streams.targets.normal() }
      return replaced(drawn(scratch.outputs, streams.targets.uniform()), &streams)
    case .network(let first, let second):
      for column in features.indices { features[column] = streams.features.normal() }
      first.apply(features, into: &scratch.hidden)
      for unit in scratch.hidden.indices { scratch.hidden[unit] = max(0, scratch.hidden[unit]) }
      second.apply(scratch.hidden, into: &scratch.outputs)
      guard request.classCount != nil else {
        return scratch.outputs[0] + request.deviation * streams.targets.normal()
      }
      var best = 0
      for output in scratch.outputs.indices where scratch.outputs[output] > scratch.outputs[best] { best = output }
      return replaced(best, &streams)
    }
  }

  /// The class that `uniform` draws by the probabilities of these logits; a single logit is that of class 1.
  private func drawn(_ logits: [Double], _ uniform: Float) -> Int {
    let wanted = Double(uniform)
    guard logits.count > 1 else { return wanted < 1 / (1 + ScalarMath.exponential(-logits[0])) ? 1 : 0 }
    let largest = logits.reduce(-.infinity, max)
    var total = 0.0
    for logit in logits { total += ScalarMath.exponential(logit - largest) }
    var sum = 0.0
    for (index, logit) in logits.enumerated() {
      sum += ScalarMath.exponential(logit - largest)
      if wanted * total < sum { return index }
    }
    return logits.count - 1
  }

  /// The label, or any class in its place.
  private func replaced(_ label: Int, _ streams: inout RowStreams) -> Double {
    let isRandom = Double(streams.targets.uniform()) < request.randomLabels
    return Double(isRandom ? streams.targets.below(request.classCount ?? 1) : label)
  }

  /// Room for the numbers between features and target.
  struct Scratch {
    var hidden: [Double]
    var outputs: [Double]

    init(_ request: GenerationRequest) {
      hidden = [Double](repeating: 0, count: request.kind == .teacher ? request.hidden : 0)
      let classes = request.classCount ?? 1
      outputs = [Double](repeating: 0, count: request.kind == .logistic && classes == 2 ? 1 : classes)
    }
  }

  /// The parameters as `dataset.json` has them.
  var json: JSONValue {
    switch form {
    case .layer(let layer): Self.json(of: layer)
    case .network(let first, let second): .object([("layers", .array([Self.json(of: first), Self.json(of: second)]))])
    case .centres(let centres):
      .object([
        (
          "centres",
          .array(
            stride(from: 0, to: centres.count, by: request.columns).map { first in
              Self.json(of: Array(centres[first..<first + request.columns]))
            })
        )
      ])
    }
  }

  private static func json(of layer: Layer) -> JSONValue {
    .object([
      ("weights", .array((0..<layer.outputs).map { json(of: layer.weights(of: $0)) })),
      ("biases", json(of: layer.biases)),
    ])
  }

  private static func json(of numbers: [Double]) -> JSONValue { .array(numbers.map { JSONValue.number($0) }) }
}
