import Data
import Failures
import Files
import JSON
import Kernels
import MPI
import Model
import Parallel
import Preparation
import Training
import Watch

/// `apus evaluate`: how good a model is on a data set.
struct EvaluateCommand: WatchedCommand {
  static let syntax = Syntax(
    name: "evaluate", summary: "loss and metrics of a model on a data set",
    positionals: [
      Positional("MODEL", "model file, or the directory of a run"),
      Positional("DATA", "data set: a directory, an HDF5 file, a glob; or a raw CSV file (.csv, .tsv) with the target"),
    ],
    options: [
      Option("--split", value: "NAME", "split of the data set; test where the data set has splits"),
      Option("--features", value: "NAME", "name of the features in HDF5 files without dataset.json"),
      Option("--targets", value: "NAME", "name of the targets in HDF5 files without dataset.json"),
      Option(
        "--non-finite", value: "POLICY",
        "numbers that are not finite: fail, skip_row or replace; default: as in training"),
      Option("--trusted", "HDF5 files may lead to other files: by links, external storage, virtual data sets"),
      Option("--json", "print the metrics as JSON"), watchdogOption,
    ],
    examples: [
      "apus evaluate runs/digits-mlp Datasets/digits/shards",
      "mpirun -n 4 apus evaluate model.safetensors 'new/*.h5' --json", "apus evaluate runs/diamonds new.csv",
    ])

  private static let parts = 64
  /// Rows of a table that are judged together.
  private static let rowsPerBlock = 1024

  private let modelPath: String
  private let data: DataSource
  /// Nil: as in the training.
  private let nonFinite: NonFinite?
  private let isJSON: Bool
  let deadlines: Deadlines

  init(_ arguments: Arguments) throws {
    modelPath = arguments.positionals[0]
    data = DataSource(
      path: arguments.positionals[1], features: arguments.value("--features"), targets: arguments.value("--targets"),
      split: arguments.value("--split"), isTrusted: arguments.has("--trusted"))
    nonFinite = try NonFinite(arguments, Self.syntax)
    isJSON = arguments.has("--json")
    deadlines = try Self.deadlines(arguments)
    if TableBlocks.isTable(data.path),
      let option = ["--split", "--features", "--targets", "--non-finite", "--trusted"].first(where: arguments.has)
    {
      throw UsageError("\(option) is for HDF5 data, and '\(data.path)' is a CSV file", syntax: Self.syntax)
    }
  }

  /// That of the model.
  var sharedDirectory: String {
    let isDirectory = (try? FileSystem.status(of: modelPath))??.kind == .directory
    return isDirectory ? modelPath : FileSystem.directory(of: modelPath)
  }

  func run(_ world: borrowing Communicator) throws -> Int32 {
    let model = try LoadedModel.load(modelPath, world: world)
    let description = model.description
    let metrics = TableBlocks.isTable(data.path) ? try table(model, world) : try dataset(model, world)
    let transform = try Agreement.alike { try description.targetTransform() }
    guard world.rank == 0 else { return ExitCode.success.rawValue }
    let text =
      isJSON
      ? json(metrics, description, transform).serialized(pretty: true)
      : MetricsTable.text(metrics, description, transform)
    StandardStream.output.write(text)
    return ExitCode.success.rawValue
  }

  private func json(_ metrics: Metrics, _ description: ModelDescription, _ transform: TargetTransform) -> JSONValue {
    let json = metrics.json(classNames: description.classNames)
    guard transform != .none, case .object(let members) = json else { return json }
    // The metrics are of what the model learned.
    return .object(members + [JSONMember(key: "target_transform", value: .string(transform.rawValue))])
  }

  /// The metrics on the rows of a raw table. Collective.
  private func table(_ model: LoadedModel, _ world: borrowing Communicator) throws -> Metrics {
    let description = model.description
    let blocks = try TableBlocks(data.path, description, for: .learning, blockRows: Self.rowsPerBlock, world)
    let evaluator = try Agreement.alike {
      try BlockEvaluator(model.model, blockRows: Self.rowsPerBlock, mostRows: blocks.rows)
    }
    var features = FloatBuffer(count: Self.rowsPerBlock * model.model.inputs)
    var targets = FloatBuffer(count: Self.rowsPerBlock)
    while !blocks.isFinished {
      try Agreement.everywhere(world) {
        try blocks.beginRound()
        while case let rows = try blocks.next(into: &features), rows > 0 {
          targets.copy(from: blocks.extras, at: 0)
          model.withParameters { evaluator.add($0, features: features, targets: targets, rows: rows) }
        }
      }
      try evaluator.combine(world)
    }
    return try evaluator.metrics(of: data.path, world: world)
  }

  /// The metrics on a split of a data set. Collective.
  private func dataset(_ model: LoadedModel, _ world: borrowing Communicator) throws -> Metrics {
    let description = model.description
    let opened = try OpenedDataset(data, defaultSplit: "test", scanLabels: false, world: world)
    let rank = world.rank
    // As many parts whatever the number of ranks, so that the metrics are the same to the last bit.
    let virtualRanks = VirtualRanks(count: max(Self.parts, world.size), ranks: world.size)
    let place = GridShape(data: world.size).place(rank)
    let evaluator = try Agreement.alike {
      let rows = try MatchedRows(opened, for: description, wantsClasses: true)
      guard rows.dataset.rows > 0 else { throw Failure(.invalidData, "'\(data.path)' has no rows") }
      let policy = nonFinite ?? description.nonFinite
      try rows.transform.check(policy, of: data.path)
      return try Evaluator(
        model: model.model, dataset: rows.dataset, transform: rows.transform, virtualRanks: virtualRanks, place: place,
        nonFinite: policy
      ) { LocalScorer(model.model, rows: $0, rank: place.data.index, ranks: place.data.count) }
    }
    return try model.withParameters { try evaluator.evaluate($0, world: world, ranking: true) }
  }
}
