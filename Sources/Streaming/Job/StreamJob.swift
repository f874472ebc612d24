import Failures
public import JSON
import Model
import Online
import Optimization
import Redis
import Settings
import Text
public import Training
public import Watch

/// What is to be learned from which stream, and how: a job file with every default filled in.
public struct StreamJob: Sendable {
  /// The paths of the sources.
  public let sources: [String]
  let source: SourceSettings
  /// Seconds without a row after which the stream ends; nil never.
  let idle: Double?

  /// Rows of an update.
  let rows: Int
  let wait: Duration
  let combineEvery: Int
  let form: CombinationForm
  let staleness: Int
  let step: StepRule

  let score: PrequentialScore.Settings
  /// 0 writes a line a second.
  let logRows: Int

  let drift: DriftResponse.Settings?
  let learner: LearnerTemplate
  /// The sample of the rows that is kept for later trainings; nil for none.
  let replay: ReplayRequest?

  let checkpointSeconds: Double
  let checkpointRows: Int
  let checkpointsKept: Int
  public let deadlines: Deadlines
  public let output: String

  /// The job with every default filled in, as `job.json` of a run holds it. Reading it again gives the same job.
  public let json: JSONValue

  /// Reads a job file.
  /// - Parameters:
  ///   - bytes: the file, JSON5.
  ///   - source: its name, for messages.
  ///   - overrides: what `--set` says, in order.
  /// - Throws: `InvalidSettings` with everything that is wrong.
  public init(parsing bytes: [UInt8], source name: String, overrides: [JobOverride] = []) throws {
    var values = JobValues(try SettingsFile.parse(bytes, source: name), overrides: overrides, keys: StreamKeys.all)
    values.checkStream()
    guard values.problems.isEmpty else { throw InvalidSettings(source: name, problems: values.problems) }
    sources = values.paths("stream.sources")
    learner = LearnerTemplate(values)
    source = Self.source(values, classes: learner.classes)
    idle = values.seconds("stream.idle")
    rows = values.integer("stream.rows") ?? 1
    wait = .seconds(values.seconds("stream.wait") ?? 0)
    combineEvery = values.integer("stream.combine_every") ?? 1
    form = values.choice("stream.combine") ?? .parameters
    staleness = values.integer("stream.staleness") ?? CombinationForm.staleness
    step = values.choice("stream.step") ?? .sum
    var score = PrequentialScore.Settings()
    score.window = values.integer("stream.window") ?? 0
    score.fading = values.number("stream.fading") ?? 1
    self.score = score
    logRows = values.integer("stream.log_rows") ?? 0
    drift = DriftResponse.Settings(values)
    replay = TrainingJob.replay(values)
    checkpointSeconds = values.number("checkpoint.every_seconds") ?? 0
    checkpointRows = values.integer("checkpoint.every_rows") ?? 0
    checkpointsKept = values.integer("checkpoint.keep") ?? 1
    deadlines = TrainingJob.deadlines(values)
    output = values.text("output") ?? ""
    json = TrainingJob.nest(StreamKeys.all.map { ($0.path, values[$0.path]) })
  }

  /// Updates of a rank after which the ranks combine. One that is alone, and watches for no drift, has nothing to combine, and only looks up.
  func updatesPerTurn(ranks: Int, columns: Int) -> Int {
    guard ranks == 1, drift == nil else { return combineEvery }
    return max(combineEvery, min(Self.rowsAtOnce, Self.floatsAtOnce / columns) / rows)
  }

  /// Rows that are taken at a time at most: those until the ranks combine, as far as memory is used well.
  func batchRows(ranks: Int, columns: Int) -> Int {
    max(rows, min(Self.rowsAtOnce / rows * rows, rows * updatesPerTurn(ranks: ranks, columns: columns)))
  }

  private static let rowsAtOnce = 8192
  private static let floatsAtOnce = 1 << 20

  private static func source(_ values: JobValues, classes: [String]?) -> SourceSettings {
    let schema = RowSchema(
      columns: values.texts("stream.columns"), target: values.text("stream.target") ?? "",
      featuresDataset: values.text("stream.features") ?? "", targetsDataset: values.text("stream.target") ?? "",
      classes: classes, time: values.text("stream.time"))
    return SourceSettings(
      schema: schema, newClasses: values.choice("stream.new_classes") ?? .malformed,
      mostClasses: values.integer("stream.most_classes") ?? 0, format: values.choice("stream.format"),
      follows: values.boolean("stream.follow"),
      limit: values.integer("stream.limit"), malformed: values.choice("stream.malformed") ?? .skip,
      incomplete: values.choice("stream.incomplete") ?? .skip, late: values.choice("stream.late") ?? .skip,
      lateness: values.number("stream.lateness") ?? 0,
      resumedPipe: values.choice("stream.resumed_pipe") ?? .fromStart, sample: Self.sample(values),
      redis: RedisSettings(
        group: values.text("redis.group") ?? "", start: values.choice("redis.start") ?? .beginning,
        trims: values.boolean("redis.trim"), missing: values.choice("redis.missing") ?? .warn,
        patience: .seconds(values.seconds("redis.patience") ?? 0), passwordFile: values.text("redis.password_file")))
  }

  private static func sample(_ values: JobValues) -> SampleRule {
    SampleRule(
      fraction: values.number("sample.fraction") ?? 1, classes: values.numbers("sample.classes"),
      weight: values.text("sample.weight"), seed: values.integer("sample.seed") ?? 0)
  }

  /// The rank that reads a source. Launchers give standard input to rank 0.
  public func rank(ofSource index: Int, ranks: Int) -> Int {
    sources[index] == StreamSource.standardInput ? 0 : index % ranks
  }

  /// What learns, as "logistic" or "mlp (64, 32)".
  public var modelName: String { learner.name }

  /// The part of the job that says what is learned, as a model file keeps it.
  var definition: String {
    let outer = ["output", "checkpoint", "watchdog"]
    let members = json.asObject?.filter { !outer.contains($0.key) } ?? []
    return JSONValue.object(members).serialized(pretty: false)
  }
}

extension JobValues {
  /// One path or several.
  func paths(_ key: String) -> [String] {
    if let path = text(key) { return [path] }
    return texts(key)
  }

  /// Seconds of a duration.
  func seconds(_ key: String) -> Double? { text(key).flatMap { Quantity.seconds($0) } ?? number(key) }

  /// Finds settings of a sample that do not fit.
  private mutating func checkSample() {
    let chances = numbers("sample.classes")
    if chances.contains(where: { $0 < 0 || $0 > 1 }) { reject("sample.classes", "must be numbers from 0 to 1") }
    if !chances.isEmpty, chances.count != classNames?.count ?? 0 {
      reject("sample.classes", "must have a number for each class")
    }
    if text("replay.kind") == ReplayRequest.Kind.balanced.rawValue, classNames == nil {
      reject("replay.kind", "can be \"class\" only where the targets are classes")
    }
  }

  /// Finds values that make no sense, or contradict each other.
  fileprivate mutating func checkStream() {
    let paths = paths("stream.sources")
    let isList = text("stream.sources") != nil || self["stream.sources"].asArray?.count == paths.count
    if isGiven("stream.sources"), !isList || paths.isEmpty || paths.contains("") {
      reject("stream.sources", "must be a path or a list of paths")
    }
    if Set(paths).count < paths.count { reject("stream.sources", "names a source twice") }
    checkServers(paths)
    checkSample()
    for key in ["stream.wait", "stream.idle", "redis.patience"] where self[key] != .null {
      if let seconds = seconds(key), seconds >= 0, seconds.isFinite { continue }
      reject(key, "must be a duration as \"20ms\" or \"1s\", not \(SettingKind.words(self[key]))")
    }
    for key in ["stream.wait", "redis.patience"] where self[key] == .null { reject(key, "must be a duration") }
    let classes = texts("stream.classes")
    if Set(classes).count < classes.count { reject("stream.classes", "names a class twice") }
    if text("stream.time") == nil {
      for key in ["stream.late", "stream.lateness"] where isGiven(key) { reject(key, "needs 'stream.time'") }
    }
    let columns = texts("stream.columns")
    if Set(columns).count < columns.count { reject("stream.columns", "names a column twice") }
    if columns.contains(text("stream.target") ?? "") { reject("stream.columns", "holds the target") }
    checkOptimizer()
    checkLearner()
    checkCombination()
    checkDrift()
  }

  /// Finds sources that are servers and cannot be.
  private mutating func checkServers(_ paths: [String]) {
    for path in paths where path.contains("://") {
      do throws(RedisAddress.Fault) {
        _ = try RedisAddress(path)
      } catch {
        reject("stream.sources", "has '\(path)', which \(error.message)")
      }
    }
  }
}
