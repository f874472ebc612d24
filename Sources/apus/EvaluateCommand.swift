import Data
import Failures
import Files
import JSON
import Kernels
import MPI
import Parallel
import Training

/// `apus evaluate`: how good a model is on a data set.
struct EvaluateCommand: Command {
  static let syntax = Syntax(
    name: "evaluate", summary: "loss and metrics of a model on a data set",
    positionals: [
      Positional("MODEL", "model file, or the directory of a run"),
      Positional("DATA", "data set: a directory, an HDF5 file, or a glob"),
    ],
    options: [
      Option("--split", value: "NAME", "split of the data set; test where the data set has splits"),
      Option("--features", value: "NAME", "name of the features in HDF5 files without dataset.json"),
      Option("--targets", value: "NAME", "name of the targets in HDF5 files without dataset.json"),
      Option("--json", "print the metrics as JSON"),
    ],
    examples: [
      "apus evaluate runs/digits-mlp Datasets/digits/shards",
      "mpirun -n 4 apus evaluate model.safetensors 'new/*.h5' --json",
    ])

  private static let parts = 64

  private let modelPath: String
  private let data: DataSource
  private let isJSON: Bool

  init(_ arguments: Arguments) throws {
    modelPath = arguments.positionals[0]
    data = DataSource(
      path: arguments.positionals[1], features: arguments.value("--features"), targets: arguments.value("--targets"),
      split: arguments.value("--split"))
    isJSON = arguments.has("--json")
  }

  func run(_ world: borrowing Communicator) throws -> Int32 {
    let model = try LoadedModel.load(modelPath, world: world)
    let description = model.description
    let opened = try OpenedDataset(data, defaultSplit: "test", scanLabels: false, world: world)
    let rank = world.rank
    // As many parts whatever the number of ranks, so that the metrics are the same to the last bit.
    let virtualRanks = VirtualRanks(count: max(Self.parts, world.size), ranks: world.size)
    let place = GridShape(data: world.size).place(rank)
    let evaluator = try Agreement.alike {
      try description.check(opened.dataset)
      guard opened.dataset.rows > 0 else { throw Failure(.invalidData, "'\(data.path)' has no rows") }
      let transform = try opened.source.transform(model: description.normalization, scale: Float(description.scale))
      return try Evaluator(
        model: model.model, dataset: opened.dataset, transform: transform, virtualRanks: virtualRanks, place: place
      ) { LocalScorer(model.model, rows: $0, rank: place.data.index, ranks: place.data.count) }
    }
    let metrics = try model.withParameters { try evaluator.evaluate($0, world: world, ranking: true) }
    guard rank == 0 else { return ExitCode.success.rawValue }
    let text =
      isJSON
      ? metrics.json(classNames: description.classNames).serialized(pretty: true)
      : MetricsTable.text(metrics, description)
    StandardStream.output.write(text)
    return ExitCode.success.rawValue
  }
}
