import Failures
import Foundation
import JSON
import Model
import Optimization
import Settings
import TestSupport
import Testing

@testable import Training

@Suite struct JobParsingTests {
  static let least = #"{ data: { path: "d" }, model: { kind: "linear" } }"#

  static func parse(_ text: String, _ overrides: [String] = []) throws -> TrainingJob {
    try TrainingJob(
      parsing: Array(text.utf8), source: "job.json", overrides: overrides.map { try JobOverride(parsing: $0) })
  }

  /// What a user reads, one line a mistake, without the head that counts them.
  static func complaints(_ text: String, _ overrides: [String] = []) -> [String] {
    do {
      _ = try parse(text, overrides)
      return []
    } catch {
      let failure = Failure(error)
      #expect(failure.code == .invalidJob)
      let lines = failure.message.split(separator: "\n").map(String.init)
      guard lines.count > 1 else { return lines }
      #expect(lines[0] == "'job.json' has \(lines.count - 1) mistakes")
      return lines.dropFirst().map { String($0.drop { $0 == " " }) }
    }
  }

  /// The value at a path like `train.batch_size`.
  static func value(_ job: TrainingJob, _ path: String) throws -> JSONValue? {
    var node: JSONNode? = try JSONNode(parsing: Array(job.json.serialized(pretty: true).utf8), dialect: .json)
    for name in path.split(separator: ".") { node = node?[String(name)] }
    return node?.value
  }

  @Test func everyKeyButTwoHasADefault() throws {
    let job = try Self.parse(Self.least)
    for key in JobKey.all {
      let value = try #require(try Self.value(job, key.path), "\(key.path) is in job.json")
      // Where the table says null, the value depends on another key.
      if let fallback = key.fallback, fallback != .null, key.path != "train.epochs" {
        #expect(value == fallback || Self.number(value) == Self.number(fallback), "\(key.path)")
      }
    }
    #expect(job.loss == .squared)
    #expect(job.optimizer.kind == .adam && job.optimizer.learningRate == 1e-3 && job.optimizer.beta2 == 0.999)
    #expect(job.length == .epochs(20) && job.batchSize == .rows(256) && job.shuffle && job.seed == 1)
    #expect(job.virtualRanks == 0 && job.microBatches == 1)
    #expect(job.checkpoint.everySteps == 0 && job.checkpoint.everySeconds == 600 && job.checkpoint.keep == 2)
    #expect(job.data.split == nil && job.data.validationSplit == nil && job.data.scale == 1)
    #expect(Self.complaints("{}") == ["job.json: 'data.path' is missing", "job.json: 'model.kind' is missing"])
  }

  private static func number(_ value: JSONValue) -> Double? {
    switch value {
    case .integer(let number): Double(number)
    case .number(let number): number
    default: nil
    }
  }

  /// Losses follow from the kind, except for an mlp, where the targets decide.
  @Test func lossOfEachKind() throws {
    let losses = try ModelKind.allCases.map { kind in
      try Self.parse(Self.least, ["model.kind=\(kind.rawValue)"] + (kind == .mlp ? ["model.hidden=[3]"] : [])).loss
    }
    #expect(losses == [.squared, .logistic, .hinge, .softmax, nil])
  }

  /// What every key may be set to, beside what it needs.
  static let settings: [(key: String, value: String, with: [String])] = [
    ("data.path", #""elsewhere/*.h5""#, []), ("data.features", #""x""#, []), ("data.targets", #""y""#, []),
    ("data.split", #""fold-1""#, []), ("data.validation_split", #""test""#, []), ("data.scale", "-0.125", []),
    ("model.kind", #""mlp""#, ["model.hidden=[2]"]), ("model.hidden", "[7,5]", ["model.kind=mlp"]),
    ("model.activation", #""gelu""#, []), ("loss", #""huber""#, []), ("penalty.l1", "0.25", []),
    ("penalty.l2", "1e-05", []), ("optimizer.kind", #""sgd""#, []), ("optimizer.learning_rate", "0.3", []),
    ("optimizer.momentum", "0.5", ["optimizer.kind=nesterov"]), ("optimizer.decay", "0.75", ["optimizer.kind=rmsprop"]),
    ("optimizer.beta1", "0.0", []), ("optimizer.beta2", "0.5", []), ("optimizer.epsilon", "1e-07", []),
    ("optimizer.weight_decay", "0.1", ["optimizer.kind=adamw"]), ("optimizer.beta", "2.0", ["optimizer.kind=ftrl"]),
    ("schedule.kind", #""cosine""#, []), ("schedule.warmup_steps", "11", []), ("schedule.every_steps", "12", []),
    ("schedule.factor", "0.5", []), ("schedule.decay", "0.25", []), ("schedule.minimum", "1e-06", []),
    ("schedule.patience", "3", []), ("train.epochs", "9", []), ("train.steps", "10", []),
    ("train.batch_size", #""full""#, []), ("train.shuffle", "false", []), ("train.seed", "9223372036854775807", []),
    ("train.clip_norm", "1.5", []), ("train.log_every", "4", []), ("train.initial_model", #""first.safetensors""#, []),
    ("train.early_stopping.patience", "2", ["data.validation_split=test"]), ("parallel.pipeline", "3", []),
    ("parallel.tensor", "2", []), ("parallel.stages", "[2,1]", []), ("parallel.shard_optimizer", "true", []),
    ("parallel.shared_memory", "false", []), ("parallel.bucket_bytes", "4096", []),
    ("parallel.wire", #""bfloat16""#, []),
    ("parallel.micro_batches", "3", []),
    ("parallel.virtual_ranks", "16", []), ("parallel.reduction", #""fast""#, []), ("checkpoint.every_steps", "5", []),
    ("checkpoint.every_seconds", "0.5", []), ("checkpoint.keep", "1", []),
    ("checkpoint.mean_time_between_failures", "86400.0", []), ("watchdog.start", "0.0", []),
    ("watchdog.reading", "2.5", []), ("watchdog.step", #""auto""#, []), ("watchdog.collective", "3.0", []),
    ("watchdog.stragglers", "6.0", []), ("data.non_finite", #""skip_row""#, []),
    ("data.replacement", "0.5", ["data.non_finite=replace"]), ("data.trusted", "true", []),
    ("train.non_finite", #""skip_step""#, []),
    ("from.model", #""old""#, []), ("from.optimizer", "true", ["from.model=old"]),
    ("from.replay_times", "3", ["from.model=old"]), ("from.old_data", #""first""#, ["from.model=old"]),
    ("from.old_split", #""test""#, ["from.model=old", "from.old_data=first"]),
    ("from.tolerance", "0.25", ["from.model=old"]),
    ("from.elastic", "0.5", ["from.model=old", "model.kind=mlp", "model.hidden=[2]"]),
    ("replay.rows", "200", []), ("replay.kind", #""class""#, ["replay.rows=200", "model.kind=softmax"]),
    ("watchdog.checkpoint", "4.0", []), ("watchdog.evaluation", "5.0", []), ("output", #""runs/here""#, []),
  ]

  @Test func everyKeyIsReadAndWritten() throws {
    #expect(Self.settings.map(\.key).sorted() == JobKey.all.map(\.path).sorted())
    for setting in Self.settings {
      let job = try Self.parse(Self.least, setting.with + ["\(setting.key)=\(setting.value)"])
      #expect(try Self.value(job, setting.key)?.serialized(pretty: false) == setting.value, "\(setting.key)")
      // Reading what was written gives the same again.
      let written = job.json.serialized(pretty: true)
      #expect(try Self.parse(written).json.serialized(pretty: true) == written, "\(setting.key)")
    }
  }

  /// Who lists the stages need not count them.
  @Test func stagesThatAreListedAreCounted() throws {
    #expect(try Self.parse(Self.least, ["parallel.stages=[2,1,3]"]).split.pipeline == 3)
    #expect(try Self.parse(Self.least, ["parallel.stages=[2,1,3]", "parallel.pipeline=2"]).split.pipeline == 2)
    #expect(try Self.parse(Self.least).split == ModelSplit())
  }

  /// What a model file says of its job has no trace of how the ranks shared the model.
  @Test func theLayoutIsNoPartOfWhatIsTrained() throws {
    let whole = try Self.parse(Self.least).definition.serialized(pretty: false)
    #expect(whole.contains(#""parallel":{"pipeline":1,"tensor":1,"micro_batches":1,"virtual_ranks":0,"#))
    for settings in [
      ["parallel.pipeline=3"], ["parallel.tensor=2"], ["parallel.stages=[1,2]"], ["parallel.shard_optimizer=true"],
      ["parallel.shared_memory=false"],
    ] {
      #expect(try Self.parse(Self.least, settings).definition.serialized(pretty: false) == whole, "\(settings)")
    }
  }

  static let jobs = [
    least,
    #"{ data: { path: "é \"x\"", scale: 0.00392156862745098 }, model: { kind: "svm" }, loss: "squared_hinge" }"#,
    """
    // Comments and trailing commas are fine.
    {
      data: { path: "d", validation_split: "v" },
      model: { kind: "mlp", hidden: [64, 32,], activation: "tanh", },
      schedule: { kind: "plateau", patience: 0, factor: 1, },
      optimizer: { kind: "adamw", weight_decay: 0.3, beta1: 0.1, },
      train: { steps: 100, batch_size: "full", early_stopping: { patience: 4 } },
      checkpoint: { every_seconds: 1e-3 },
    }
    """,
  ]

  @Test(arguments: jobs) func jobFileOfARunIsTheSameJob(_ text: String) throws {
    let once = try Self.parse(text).json.serialized(pretty: true)
    #expect(try Self.parse(once).json.serialized(pretty: true) == once)
  }

  @Test(arguments: OptimizerKind.allCases, ScheduleKind.allCases)
  func everyOptimizerAndScheduleSurviveJSON(_ optimizer: OptimizerKind, _ schedule: ScheduleKind) throws {
    let text = """
      { data: { path: "d", validation_split: "v" }, model: { kind: "softmax" },
        optimizer: { kind: "\(optimizer.rawValue)" }, schedule: { kind: "\(schedule.rawValue)" } }
      """
    let job = try Self.parse(text)
    let again = try Self.parse(job.json.serialized(pretty: true))
    #expect(again.optimizer == job.optimizer && again.schedule == job.schedule)
    #expect(job.optimizer == OptimizerSettings(optimizer) && job.schedule == Schedule(schedule))
    #expect(again.json == job.json || again.json.serialized(pretty: true) == job.json.serialized(pretty: true))
  }

  /// Those of streams have keys of their own.
  @Test func everyTrainingJobOfThisPackageIsSound() throws {
    let names = try FileManager.default.contentsOfDirectory(atPath: PackageRoot.file("Jobs"))
    #expect(names.count > 2)
    for name in names {
      let path = PackageRoot.file("Jobs/\(name)/job.json")
      let text = try String(contentsOfFile: path, encoding: .utf8)
      guard try JSONNode(parsing: Array(text.utf8), dialect: .json5)["stream"] == nil else { continue }
      #expect(throws: Never.self) { try Self.parse(text) }
    }
  }
}
