import Foundation
import TestSupport
import Testing

/// PyTorch's trainings (see the README of `Reference`) through the real command: `initial_model` written by Python's safetensors,
/// the data by h5py.
@Suite(.enabled(if: Python.isAvailable, "needs the tests' Python: Scripts/setup"))
struct TrajectoryTests {
  static let names = [
    "huber-adam", "linear-sgd", "logistic-momentum", "mlp-gelu-adamw", "mlp-relu-adam", "mlp-sigmoid-nesterov",
    "mlp-tanh-rmsprop", "softmax-adagrad", "svm-sgd-l2",
  ]

  /// The largest relative error of a loss and, relative to the largest weight of its tensor, of a weight.
  static let tolerance = 1e-4

  /// On 1, 2, 3 and 4 ranks with as many virtual ranks. One of the trajectories lies in a file with other names of the data sets.
  @Test(arguments: names)
  func agreesWithPyTorchOnAnyNumberOfRanks(_ name: String) throws {
    let foreign = name == "linear-sgd"
    let files = try TrajectoryFiles(name, data: foreign ? ("x", "y") : ("features", "targets"))
    for ranks in 1...4 {
      try files.train(ranks: ranks, settings: foreign ? ["data.features=x", "data.targets=y"] : [])
    }
    try files.expectAgreement()
  }

  /// Every layer split among 2, 3 and 4 ranks, which divide few of the sizes; also beside data parallelism.
  @Test(arguments: names) func agreesWithPyTorchOnSplitLayers(_ name: String) throws {
    let files = try TrajectoryFiles(name, data: ("features", "targets"))
    for tensor in 2...4 {
      try files.train(virtualRanks: 1, ranks: tensor, settings: ["parallel.tensor=\(tensor)"])
    }
    try files.train(virtualRanks: 2, ranks: 4, settings: ["parallel.tensor=2"])
    try files.expectAgreement()
  }

  /// Two copies of a pipeline of two stages, each split among two ranks, for the models that have two layers.
  @Test(arguments: names.filter { $0.hasPrefix("mlp") || $0.hasPrefix("huber") })
  func agreesWithPyTorchOnAGrid(_ name: String) throws {
    let files = try TrajectoryFiles(name, data: ("features", "targets"))
    for settings in [[], ["parallel.micro_batches=3"], ["parallel.reduction=fast"]] {
      try files.train(
        virtualRanks: 2, ranks: 8, settings: ["parallel.pipeline=2", "parallel.tensor=2"] + settings)
    }
    try files.expectAgreement()
  }

  /// Batches that are processed in parts, whose last is shorter than the others, and sums in any order.
  @Test(arguments: [
    ["parallel.micro_batches=3"], ["parallel.reduction=fast"], ["parallel.micro_batches=5", "parallel.reduction=fast"],
  ])
  func agreesWithPyTorchInParts(_ settings: [String]) throws {
    let files = try TrajectoryFiles("mlp-relu-adam", data: ("features", "targets"))
    for ranks in [1, 3] { try files.train(ranks: ranks, settings: settings) }
    try files.expectAgreement()
  }
}

/// The files of one trajectory, and what trainings left of it.
private final class TrajectoryFiles {
  struct Reference: Decodable {
    struct Job: Decodable {
      struct Optimizer: Decodable {
        let kind: String
        let learningRate: Double
        let momentum, decay, beta1, beta2, epsilon: Double?
      }
      let layers: [Int]
      let activation, loss: String
      let optimizer: Optimizer
      let l2, weightDecay: Double
      let batchSize, steps: Int
    }
    let job: Job
    let losses: [Double]
  }

  struct Comparison: Decodable {
    let run: String
    let tensors: Int
    /// The largest difference of a weight, relative to the largest weight of its tensor.
    let worst: Double
    let place: String
  }

  let name: String
  let reference: Reference
  private let directory = try! TemporaryDirectory("trajectory")
  private var runs: [String] = []
  private let path: String

  /// Writes the data, for each number of virtual ranks in the order of the file that makes the trajectory's batches, and the
  /// first weights.
  init(_ name: String, data names: (features: String, targets: String)) throws {
    self.name = name
    path = try #require(Bundle.module.url(forResource: name, withExtension: "json", subdirectory: "Reference")).path
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    reference = try decoder.decode(Reference.self, from: Data(contentsOf: URL(fileURLWithPath: path)))
    try Python.text(Self.writer, [path, directory.path, names.features, names.targets])
  }

  private static let writer = """
    import json, sys
    import h5py, numpy
    from safetensors.numpy import save_file
    path, folder, features, targets = sys.argv[1:]
    reference = json.load(open(path))
    x = numpy.array(reference["features"], dtype=numpy.float32)
    y = numpy.array(reference["targets"])
    if y.dtype != numpy.int64:
        y = y.astype(numpy.float32)
    rows = len(x)
    for ranks in range(1, 5):
        # Position p is row number p // ranks of virtual rank p % ranks, whose range begins at rows * v // ranks.
        order = numpy.empty(rows, dtype=int)
        for position in range(rows):
            order[rows * (position % ranks) // ranks + position // ranks] = position
        with h5py.File(f"{folder}/data-{ranks}.h5", "w") as file:
            file[features] = x[order]
            file[targets] = y[order]
    save_file({name: numpy.array(values, dtype=numpy.float32) for name, values in reference["first"].items()},
              f"{folder}/first.safetensors")
    """

  /// Trains, and compares the losses of all steps.
  /// - Parameter virtualRanks: at most 4; as many as ranks where it is left out.
  func train(virtualRanks: Int? = nil, ranks: Int, settings: [String] = []) throws {
    let run = directory.file("run-\(runs.count)-ranks-\(ranks)")
    let job = try directory.write(
      text: jobFile(virtualRanks: virtualRanks ?? ranks, output: run), to: "job-\(runs.count).json")
    runs.append(run)
    let result = try MPILauncher.run(
      ranks: ranks, Binaries.apus, ["train", job] + settings.flatMap { ["--set", $0] })
    try #require(result.exitCode == 0, "\(result)")
    let log = try TrainingLog(run)
    #expect(log.steps.map(\.step) == Array(1...reference.job.steps))
    for (line, expected) in zip(log.steps, reference.losses) {
      #expect(
        abs(line.loss - expected) <= TrajectoryTests.tolerance * abs(expected),
        "\(name) on \(ranks) ranks \(settings), step \(line.step): loss \(line.loss), PyTorch has \(expected)")
    }
  }

  private func jobFile(virtualRanks: Int, output: String) -> String {
    let job = reference.job
    let kinds = ["squared": "linear", "logistic": "logistic", "hinge": "svm", "softmax": "softmax"]
    let kind = job.layers.count > 2 ? "mlp" : kinds[job.loss] ?? "linear"
    let optimizer: [(String, Double?)] = [
      ("learning_rate", job.optimizer.learningRate), ("momentum", job.optimizer.momentum),
      ("decay", job.optimizer.decay), ("beta1", job.optimizer.beta1), ("beta2", job.optimizer.beta2),
      ("epsilon", job.optimizer.epsilon), ("weight_decay", job.optimizer.kind == "adamw" ? job.weightDecay : nil),
    ]
    return """
      {
        data: { path: "\(directory.file("data-\(virtualRanks).h5"))" },
        model: { kind: "\(kind)", hidden: \(Array(job.layers.dropFirst().dropLast())), activation: "\(job.activation)" },
        loss: "\(job.loss)",
        penalty: { l2: \(job.l2) },
        optimizer: { kind: "\(job.optimizer.kind)", \(optimizer.compactMap { key, value in value.map { "\(key): \($0)" } }.joined(separator: ", ")) },
        train: {
          steps: \(job.steps), batch_size: \(job.batchSize), shuffle: false, log_every: 1,
          initial_model: "\(directory.file("first.safetensors"))",
        },
        parallel: { virtual_ranks: \(virtualRanks) },
        output: "\(output)",
      }
      """
  }

  /// Compares the weights that all trainings ended with, as Python's safetensors reads them.
  func expectAgreement() throws {
    let found = try Python.value(Self.comparer, [path] + runs, as: [Comparison].self)
    #expect(found.map(\.run) == runs)
    for comparison in found {
      #expect(comparison.tensors == 2 * (reference.job.layers.count - 1))
      #expect(comparison.worst <= TrajectoryTests.tolerance, "\(name), \(comparison.run): \(comparison.place)")
    }
  }

  private static let comparer = """
    import json, sys
    import numpy
    from safetensors.numpy import load_file
    expected = {name: numpy.array(values) for name, values in json.load(open(sys.argv[1]))["last"].items()}
    result = []
    for run in sys.argv[2:]:
        found = load_file(run + "/model.safetensors")
        assert set(found) == set(expected), (set(found), set(expected))
        worst, place = 0.0, ""
        for name, values in expected.items():
            assert found[name].shape == values.shape and found[name].dtype == numpy.float32, name
            errors = numpy.abs(found[name].astype(float) - values) / numpy.abs(values).max()
            if not errors.max() <= worst:
                worst, place = float(errors.max()), f"{name}, element {int(errors.argmax())}"
        result.append(dict(run=run, tensors=len(found), worst=worst, place=place))
    print(json.dumps(result))
    """
}
