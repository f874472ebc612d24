import Data
import Failures
import Files
import Kernels
import MPI
import Preparation
import Text
import Training
import Watch

/// `apus predict`: what a model says of each row of a data set.
struct PredictCommand: WatchedCommand {
  static let syntax = Syntax(
    name: "predict", summary: "predictions of a model for a data set, row for row",
    positionals: [
      Positional("MODEL", "model file, or the directory of a run"),
      Positional("DATA", "data set: a directory, an HDF5 file, a glob; or a raw CSV file (.csv, .tsv)"),
    ],
    options: [
      Option(
        "--output", value: "FILE", isRequired: true, "file to write: .h5 (values, or labels and probabilities) or .csv"),
      Option("--split", value: "NAME", "split of the data set; test where the data set has splits"),
      Option("--features", value: "NAME", "name of the features in HDF5 files without dataset.json"),
      Option(
        "--non-finite", value: "POLICY",
        "numbers that are not finite: fail, skip_row or replace; default: as in training"),
      Option("--trusted", "HDF5 files may lead to other files: by links, external storage, virtual data sets"),
      Option("--overwrite", "replace the file that is there"), watchdogOption,
    ],
    examples: [
      "apus predict runs/digits-mlp Datasets/digits/shards --output predictions.h5",
      "mpirun -n 4 apus predict model.safetensors new.csv --output predictions.csv",
    ])

  private let modelPath: String
  private let data: DataSource
  /// Nil: as in the training.
  private let nonFinite: NonFinite?
  private let output: String
  private let format: PredictionFormat
  private let replaces: Bool
  let deadlines: Deadlines

  init(_ arguments: Arguments) throws {
    modelPath = arguments.positionals[0]
    data = DataSource(
      path: arguments.positionals[1], features: arguments.value("--features"), split: arguments.value("--split"),
      isTrusted: arguments.has("--trusted"))
    nonFinite = try NonFinite(arguments, Self.syntax)
    let output = arguments.value("--output") ?? ""
    guard let format = PredictionFormat(ending: output) else {
      throw UsageError("the output '\(output)' ends neither in .h5 nor in .csv", syntax: Self.syntax)
    }
    if TableBlocks.isTable(data.path),
      let option = ["--split", "--features", "--non-finite", "--trusted"].first(where: arguments.has)
    {
      throw UsageError("\(option) is for HDF5 data, and '\(data.path)' is a CSV file", syntax: Self.syntax)
    }
    self.output = output
    self.format = format
    replaces = arguments.has("--overwrite")
    deadlines = try Self.deadlines(arguments)
  }

  var writtenPath: String { output }

  func run(_ world: borrowing Communicator) throws -> Int32 {
    try checkOutput(world)
    let model = try LoadedModel.load(modelPath, world: world)
    let predictor = try Agreement.alike { try Predictor(model, dataPath: data.path) }
    let blocks = try blocks(model.description, blockRows: predictor.blockRows, world)
    var writer: (any PredictionWriter)?
    _ = try Agreement.fromRoot(world) {
      writer = try format.writer(path: output, schema: predictor.schema)
      return []
    }
    let rows: Int
    do {
      rows = try predict(blocks, predictor, world, into: writer)
    } catch {
      writer?.abandon()
      throw error
    }
    _ = try Agreement.fromRoot(world) {
      try writer?.finish()
      return []
    }
    if world.rank == 0 {
      StandardStream.output.write("\(grouped(rows)) \(rows == 1 ? "row" : "rows") predicted: \(output)\n")
    }
    return ExitCode.success.rawValue
  }

  /// Throws where the output must not or cannot be written. Collective.
  private func checkOutput(_ world: borrowing Communicator) throws {
    _ = try Agreement.fromRoot(world) {
      let directory = FileSystem.directory(of: output)
      guard try FileSystem.status(of: directory)?.kind == .directory else {
        throw Failure(.cannotCreate, "there is no directory '\(directory)' to write '\(output)' into")
      }
      guard let status = try FileSystem.status(of: output) else { return [] }
      guard status.kind == .regular else {
        throw Failure(.cannotCreate, "the output '\(output)' is not a regular file")
      }
      guard replaces else {
        throw Failure(.cannotCreate, "the output '\(output)' exists already", hint: "--overwrite replaces it")
      }
      return []
    }
  }

  /// Opens the data and checks that they are such as the model was trained on. Collective.
  private func blocks(
    _ description: ModelDescription, blockRows: Int, _ world: borrowing Communicator
  ) throws -> any FeatureBlocks {
    if TableBlocks.isTable(data.path) {
      return try TableBlocks(data.path, description, for: .prediction, blockRows: blockRows, world)
    }
    let opened = try OpenedDataset(data, defaultSplit: "test", wantsTargets: false, scanLabels: false, world: world)
    let (rank, ranks) = (world.rank, world.size)
    return try Agreement.alike {
      let matched = try MatchedRows(opened, for: description, wantsClasses: false)
      let policy = nonFinite ?? description.nonFinite
      try matched.transform.check(policy, of: data.path)
      return try ShardBlocks(
        matched, nonFinite: policy, blockRows: blockRows, rank: rank, ranks: ranks)
    }
  }

  /// Predicts the blocks of all ranks, round by round; rank 0, which has the writer, writes them in their order. Collective.
  ///
  /// - Returns: how many rows there were, on rank 0.
  /// - Throws: the failure of the first group of a round that has one, on every rank.
  private func predict(
    _ blocks: any FeatureBlocks, _ predictor: Predictor, _ world: borrowing Communicator,
    into writer: (any PredictionWriter)?
  ) throws -> Int {
    var features = FloatBuffer(count: predictor.blockRows * predictor.columns)
    let schema = predictor.schema
    var rows = 0
    func write(_ group: PredictionBlock) throws {
      let count = group.numbers.count / schema.width
      // In blocks, whose rows are the chunks of a file.
      for first in stride(from: 0, to: count, by: predictor.blockRows) {
        try writer?.append(group.rows(first..<min(first + predictor.blockRows, count), schema))
      }
      rows += count
    }
    while !blocks.isFinished {
      var group = PredictionBlock.empty
      try Agreement.everywhere(world) {
        try blocks.beginRound()
        while case let count = try blocks.next(into: &features), count > 0 {
          group.append(
            try predictor.predict(features, rows: count, first: blocks.firstRow, leftOut: blocks.leftOut))
        }
      }
      if world.rank == 0 {
        try write(group)
        for rank in 1..<max(world.size, 1) { try write(PredictionBlock.receive(from: rank, world)) }
      } else {
        try group.send(world)
      }
    }
    return rows
  }
}
