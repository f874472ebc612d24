import JSON
import Model
import Online
public import Settings
import Training

/// The keys of the job file of a stream.
public enum StreamKeys {
  private static let count = 0...Int.max
  private static let positiveCount = 1...Int.max
  private static let weight = SettingKind.number(least: 0, exclusive: false, most: .infinity)
  private static let positive = SettingKind.number(least: 0, exclusive: true, most: .infinity)
  private static let optionalPositive = SettingKind.optionalNumber(least: 0, exclusive: true, most: .infinity)
  private static let share = SettingKind.number(least: 0, exclusive: true, most: 1)
  static let duration = SettingKind.other("a duration as \"20ms\" or \"1s\"")
  static let optionalDuration = SettingKind.other("a duration as \"20ms\" or \"1s\", or null")
  static let paths = SettingKind.other("a path or a list of paths")

  /// Every key, in the order in which `job.json` writes them.
  public static let all: [SettingKey] =
    source + updates + evaluation + sample + shared(["replay."]) + redis + drift + model
    + shared([
      "loss", "penalty.", "optimizer.", "schedule.kind", "schedule.warmup_steps", "schedule.every_steps",
      "schedule.factor",
      "schedule.decay",
    ]) + end

  private static let source: [SettingKey] = [
    SettingKey(
      "stream.sources", paths, nil,
      "what is read, divided over the ranks: files, named pipes, directories into which files come, \"-\" for standard input, streams of Redis as redis://host:6379/0?key=sensors"
    ),
    SettingKey(
      "stream.format", .choice(["auto"] + SourceFormat.allCases.map(\.rawValue)), "auto",
      "what rows are written in; auto goes by names of files, and by the first byte of pipes"),
    SettingKey(
      "stream.follow", .boolean, false,
      "wait for more where a file, or what is in a directory, ends, and for files to come"),
    SettingKey(
      "stream.columns", .texts, [],
      "columns of texts that are features, in this order; all but target and time without it"),
    SettingKey("stream.target", .text, "target", "column of texts, or data set of HDF5 files, with the target"),
    SettingKey("stream.features", .text, "features", "data set of HDF5 files with the features"),
    SettingKey(
      "stream.classes", .texts, [],
      "names of the classes in texts; [\"0\", \"1\"] where the model has two and none are named"),
    SettingKey(
      "stream.new_classes", .choice(NewClassPolicy.allCases.map(\.rawValue)), "malformed",
      "rows of a class that is not known: as stream.malformed says, the class is added to the model, left out and counted, or an error"
    ),
    SettingKey(
      "stream.most_classes", .integer(2...4096), 100,
      "classes that new_classes \"add\" may make; rows of yet another one are malformed"),
    SettingKey(
      "stream.time", .optionalText, .null,
      "column of texts, or data set of HDF5 files, that says in numbers when a row was made"),
    SettingKey(
      "stream.limit", .optionalInteger(positiveCount), .null, "rows of each source after which it counts as ended"),
    SettingKey(
      "stream.idle", optionalDuration, .null,
      "end where no row has come for so long; without it a stream waits for ever"),
    SettingKey(
      "stream.malformed", .choice(["skip", "fail"]), "skip",
      "rows that cannot be read, or without a target: left out and counted, or an error"),
    SettingKey(
      "stream.incomplete", .choice(["skip", "impute", "fail"]), "skip",
      "rows with values that are missing or not finite: left out and counted, filled with running means, or an error"),
    SettingKey(
      "stream.late", .choice(["learn", "skip", "fail"]), "skip",
      "rows made before others that were there: learned, left out and counted, or an error; needs stream.time"),
    SettingKey("stream.lateness", weight, 0.0, "how much earlier, in the unit of stream.time, is not late yet"),
    SettingKey(
      "stream.resumed_pipe", .choice(SourceSettings.ResumedPipe.allCases.map(\.rawValue)), "from_start",
      "what pipes give after --resume: all rows again, of which those done with are passed over, or what comes after them"
    ),
  ]

  private static let sample: [SettingKey] = [
    SettingKey(
      "sample.fraction", share, 1.0,
      "chance of a row to be learned; the others are passed over, neither learned nor scored, and counted"),
    SettingKey(
      "sample.classes", .numbers, [],
      "factors of that chance, from 0 to 1, one for each class in the order of stream.classes: stratified sampling"),
    SettingKey(
      "sample.weight", .optionalText, .null,
      "feature whose value, from 0, is a factor of that chance, which is at most 1: importance sampling"),
    SettingKey("sample.seed", .integer(count), 0, "what samples are drawn from, by the numbers of the rows"),
  ]

  private static let redis: [SettingKey] = [
    SettingKey(
      "redis.group", .text, "apus",
      "consumer group that stands at the last entry that is in a checkpoint; made where it is missing"),
    SettingKey(
      "redis.start", .choice(RedisSettings.Start.allCases.map(\.rawValue)), "beginning",
      "where a stream of Redis begins without a checkpoint: with the first entry that the server has, or where the group stands; a group that is missing is made at the end of the stream"
    ),
    SettingKey(
      "redis.missing", .choice(RedisSettings.MissingPolicy.allCases.map(\.rawValue)), "warn",
      "entries that were trimmed or deleted before they were read: a warning and a count, or an error"),
    SettingKey(
      "redis.trim", .boolean, false, "take entries away that are in the checkpoint before the last one (XTRIM)"),
    SettingKey("redis.patience", duration, "60s", "how long a server may be away"),
    SettingKey(
      "redis.password_file", .optionalText, .null,
      "file with the password, on each rank that reads; the variable REDISCLI_AUTH without it"),
  ]

  private static let updates: [SettingKey] = [
    SettingKey("stream.rows", .integer(1...1 << 20), 1, "rows of an update at most"),
    SettingKey("stream.wait", duration, "0ms", "how long an update with fewer rows waits for more"),
    SettingKey(
      "stream.combine_every", .integer(1...1 << 30), 32,
      "updates of a rank after which the ranks combine what they have learned; evaluation and drift look at the rows since"
    ),
    SettingKey(
      "stream.combine", .choice(CombinationForm.allCases.map(\.rawValue)), "parameters",
      "what several ranks combine: their parameters; their gradients, with every update; what each has learned, while the others go on;"
        + " or that by way of rank 0, which owns the parameters"),
    SettingKey(
      "stream.step", .choice(StepRule.allCases.map(\.rawValue)), "sum",
      "parameters, gradients: what the ranks have learned is added, so that a row moves the model as far as on one rank, and held back where"
        + " that goes too far; or its mean is taken, by rows"),
    SettingKey(
      "stream.staleness", .optionalInteger(positiveCount), .null,
      "asynchronous: combinations that a rank is ahead of what another has taken in at most, before it waits (4)"),
  ]

  private static let evaluation: [SettingKey] = [
    SettingKey("stream.window", .integer(count), 1000, "rows of the sliding window of the evaluation; 0 has none"),
    SettingKey(
      "stream.fading", share, 0.999, "factor on the weight of a row in the fading evaluation with each row after it"),
    SettingKey("stream.log_rows", .integer(count), 0, "rows between two lines of metrics.jsonl; 0 is a line a second"),
  ]

  private static let drift: [SettingKey] = [
    SettingKey(
      "drift.detector", .choice(["none"] + DriftDetectorKind.allCases.map(\.rawValue)), "none",
      "watches the errors of a classifier, or the losses of a regression, before each row is learned"),
    SettingKey(
      "drift.delta", optionalPositive, .null, "adwin: confidence (0.002); page_hinkley: tolerated change (0.005)"),
    SettingKey(
      "drift.threshold", optionalPositive, .null, "page_hinkley: sum of changes that is drift (50); ddm: deviations (3)"
    ),
    SettingKey(
      "drift.warm_up", .optionalInteger(positiveCount), .null, "ddm, page_hinkley: rows before the first signal (30)"),
    SettingKey(
      "drift.features", .boolean, false, "watch the features too, with the same detector; not ddm"),
    SettingKey(
      "drift.on_warning", .choice(DriftAction.allCases.map(\.rawValue)), "report",
      "what a warning (ddm) leads to; see drift.on_drift"),
    SettingKey(
      "drift.on_drift", .choice(DriftAction.allCases.map(\.rawValue)), "report",
      "what drift leads to: a line in metrics.jsonl alone, a raised learning rate, the optimizer from its start, or a fresh model"
        + " that learns beside the old one and takes its place if it is better"),
    SettingKey("drift.rate_factor", positive, 10.0, "factor on the raised learning rate"),
    SettingKey("drift.rate_rows", .integer(positiveCount), 1000, "rows until the raised rate is back"),
    SettingKey(
      "drift.switch_rows", .integer(positiveCount), 5000,
      "rows after which a fresh model that is not better is given up"),
  ]

  private static let model: [SettingKey] = [
    SettingKey("model.kind", .choice(LearnerKind.allCases.map(\.rawValue)), nil, "learner"),
    SettingKey("model.hidden", .integers(positiveCount), [], "units of each hidden layer of an mlp"),
    SettingKey(
      "model.activation", .choice(Activation.allCases.map(\.rawValue)), "relu", "activation of the hidden layers"),
    SettingKey(
      "model.standardize", .other("true, false or null"), .null,
      "standardise the features by their running means and deviations; all kinds but rls do without it"),
    SettingKey(
      "model.bias_learning_rate", optionalPositive, .null,
      "models of one layer: learning rate of the biases, whatever the optimizer and its schedule; the optimizer's own steps unless given"
    ),
    SettingKey("model.seed", .integer(count), 1, "seed of the first weights"),
    SettingKey("model.forgetting", share, 1.0, "rls: factor on the weight of a row with each row after it"),
    SettingKey("model.ridge", weight, 0.0, "rls: penalty on the squares of the weights"),
    SettingKey("model.aggressiveness", positive, 1.0, "passive_aggressive: the largest step (C)"),
    SettingKey(
      "model.variant", .choice(PassiveAggressiveVariant.allCases.map(\.rawValue)), "pa1",
      "passive_aggressive: steps that are not bounded, bounded, or softened"),
  ]

  private static let end: [SettingKey] =
    [
      SettingKey("checkpoint.every_seconds", weight, 60.0, "seconds between checkpoints; 0 saves at the end alone"),
      SettingKey(
        "checkpoint.every_rows", .integer(count), 0, "rows of all ranks between checkpoints; 0 saves by time alone"),
    ]
    + shared([
      "checkpoint.keep", "watchdog.start", "watchdog.reading", "watchdog.step", "watchdog.collective",
      "watchdog.checkpoint",
    ])
    + [SettingKey("output", .text, "runs/stream", "directory that the run writes")]

  /// Keys that mean the same in the job of a training.
  private static func shared(_ paths: [String]) -> [SettingKey] {
    JobKey.all.filter { key in paths.contains { $0.hasSuffix(".") ? key.path.hasPrefix($0) : key.path == $0 } }
  }

  /// The keys as the Markdown table of the README.
  public static var reference: String { SettingKey.reference(of: all) }
}
