import Data
import Failures
import Files
import JSON
public import MPI
import Model
public import Online
import Redis
import Text
public import Training
public import Watch

/// A stream from its job to its model file: what `apus stream` does. All methods are collective.
public final class StreamRun {
  public let job: StreamJob

  /// How a run ended.
  public struct Result: Sendable {
    /// A signal asked for it; the state is saved.
    public let isStopped: Bool
    /// Rows learned, those of earlier starts too.
    public let rows: Int
    /// By all ranks.
    public let leftOut: RowsLeftOut
    public let drifts: Int?
    /// The names of the classes that were added to those of the job, also by earlier starts.
    public let newClasses: [String]
    /// Over all rows, and over the last ones; nil on other ranks than 0, and where nothing was learned.
    public let measures: Measures?
    public let window: Measures?
    /// Of this start.
    public let seconds: Double
    public let modelPath: String
  }

  /// Numbers of the rows that are taken at a time at most: 1 GiB.
  private static let mostBatch = 1 << 28

  private let world: Communicator
  private let store: CheckpointStore

  /// - Throws: `Failure` where the job makes no sense for these sources.
  public init(_ job: StreamJob, world: borrowing Communicator) throws {
    self.job = job
    self.world = try world.duplicate()
    store = CheckpointStore(directory: RunDirectory.checkpoints(of: job.output), keep: job.checkpointsKept)
    try checkSources()
    // What the settings of the learner say by themselves shows with any number of columns.
    try Agreement.alike { try Self.asJobError { _ = try StreamParts(job, inputs: 1, ranks: 1) } }
  }

  /// The sources that cannot be there later have to be there now.
  private func checkSources() throws {
    try Agreement.everywhere(world) {
      for path in ownPaths where path != StreamSource.standardInput && !RedisAddress.isAddress(path) {
        guard try FileSystem.status(of: path) != nil || job.source.follows else {
          throw Failure(
            .missingInput, "the source '\(path)' does not exist",
            hint: "stream.follow waits for sources that come later")
        }
      }
    }
  }

  private static func asJobError<Value>(_ body: () throws -> Value) throws -> Value {
    do {
      return try body()
    } catch let error as OnlineError {
      throw Failure(.invalidJob, error.description)
    }
  }

  /// The sources of this rank: each is read by one.
  private var ownPaths: [String] {
    job.sources.indices.filter { job.rank(ofSource: $0, ranks: world.size) == world.rank }.map { job.sources[$0] }
  }

  /// Learns, and writes what a run leaves.
  /// - Parameters:
  ///   - watchdog: told where the run is, so that the ranks know of each other there.
  ///   - willBegin: called when the columns are known and learning begins; with their number and the rows of earlier starts.
  public func run(
    policy: RunDirectory.Policy, watchdog: Watchdog? = nil, willBegin: (_ columns: Int, _ rows: Int) -> Void
  ) throws -> Result {
    var directory: RunDirectory?
    _ = try Agreement.fromRoot(world) {
      directory = try RunDirectory(job.output, policy: policy)
      try watchdog?.share(in: job.output)
      return []
    }
    if world.rank > 0 { try watchdog?.share(in: job.output) }
    defer { directory?.unlock() }
    let resumed = policy == .resume ? try StreamState.newest(store, world: world) { Self.warn($0) } : nil
    // Before a source is waited for, which may take for ever.
    Termination.install()
    let positions = try Agreement.alike { try resumed?.positions() ?? [:] }
    var settings = job.source
    settings.schema.classes = try Agreement.alike { try classNames(resumed) }
    let sources = ownPaths.map { StreamSource($0, settings: settings, position: positions[$0]) }
    guard let schema = try findSchema(sources, resumed) else { return try endWithoutRows() }
    for source in sources where !schema.names.isEmpty { source.settle(columns: schema.names) }
    try Agreement.alike { try checkMemory(columns: schema.count) }
    let parts = try Agreement.alike {
      try Self.asJobError { () throws -> StreamParts in
        guard let resumed else { return try StreamParts(job, inputs: schema.count, ranks: world.size) }
        return try StreamParts(job, resuming: resumed, rank: world.rank, ranks: world.size)
      }
    }
    let sample = try StreamSample(
      job, columns: schema.count, resuming: resumed?.rows, store: store, world: world)
    let reporter = try makeReporter(directory, resumed, schema)
    willBegin(schema.count, resumed?.rows ?? 0)
    let loop = StreamLoop(
      job: job, parts: parts, sources: sources, sample: sample, rows: resumed?.rows ?? 0,
      combination: Combination(try world.duplicate()), classes: settings.classes, deltas: try makeDeltas(),
      isRoot: world.rank == 0, reporter: reporter)
    let outcome = try loop.run()
    defer { reporter?.end() }
    return try finish(loop, outcome, reporter, columns: schema.names)
  }

  /// The names of the classes: those of the job, or all that a stream knew which goes on; nil where targets are numbers.
  private func classNames(_ resumed: StreamState?) throws -> [String]? {
    guard let names = job.learner.classes, let known = resumed?.classes, !known.isEmpty else {
      return job.learner.classes
    }
    guard known.starts(with: names) else {
      throw Failure(
        .invalidJob,
        "the stream in '\(job.output)' has the classes \(known.joined(separator: ", ")), and the job \(names.joined(separator: ", "))",
        hint: "a stream goes on with the classes that it began with: leave stream.classes as it was")
    }
    return known
  }

  /// The names of the columns and their number, as the first source that opens has them, or as they were; nil where none ever will, or a
  /// signal came first. Collective.
  private func findSchema(
    _ sources: [StreamSource], _ resumed: StreamState?
  ) throws -> (names: [String], count: Int)? {
    if let resumed { return (resumed.columns, resumed.inputs) }
    let named = job.source.schema.columns
    while true {
      Pulse.enter(.start)
      let found = try Agreement.gathering(world) { () throws -> [UInt8] in
        for source in sources {
          let columns = try source.columns()
          for warning in source.takeWarnings() { Self.warn(warning) }
          guard let columns else { continue }
          let names = JSONValue.array(columns.names.map { .string($0) }).serialized(pretty: false)
          return Array("\(columns.count) \(names)".utf8)
        }
        let isOver = Termination.isRequested || sources.allSatisfy(\.hasEnded)
        return isOver ? Array("over".utf8) : []
      }
      if let text = found.first(where: { !$0.isEmpty && $0 != Array("over".utf8) }) {
        let parts = String(decoding: text, as: UTF8.self).split(separator: " ", maxSplits: 1)
        let names = try JSONNode(parsing: Array(parts[1].utf8), dialect: .json).asArray?.compactMap(\.asString) ?? []
        let count = Int(parts[0]) ?? 0
        return (names.count == count ? names : named.count == count ? named : [], count)
      }
      if try found.allSatisfy({ !$0.isEmpty }) || isStopRequested() { return nil }
      try ByteStream.wait(for: [], atMost: .milliseconds(20))
    }
  }

  /// Whether a signal has come to any rank. Collective.
  private func isStopRequested() throws -> Bool {
    try world.allGather(Termination.isRequested ? Int64(1) : 0).contains(1)
  }

  private func checkMemory(columns: Int) throws {
    let (count, overflow) = job.batchRows(ranks: world.size, columns: columns).multipliedReportingOverflow(by: columns)
    guard overflow || count > Self.mostBatch else { return }
    throw Failure(
      .invalidJob, "updates of \(grouped(job.rows)) rows of \(grouped(columns)) columns do not fit into memory",
      hint: "lower stream.rows")
  }

  /// There is nothing to learn from, and no model.
  private func endWithoutRows() throws -> Result {
    guard try !isStopRequested() else {
      return Result(
        isStopped: true, rows: 0, leftOut: RowsLeftOut(), drifts: nil, newClasses: [], measures: nil, window: nil,
        seconds: 0, modelPath: "")
    }
    throw Failure(.invalidData, "the sources have no rows, and no columns either", isShared: true)
  }

  /// What ranks need that do not wait for each other; nil where they do. Collective.
  private func makeDeltas() throws -> DeltaExchange? {
    guard world.size > 1, job.form.isLoose else { return nil }
    let (rows, isTooMany) = job.rows.multipliedReportingOverflow(by: job.combineEvery)
    return DeltaExchange(
      try world.duplicate(), isCentral: job.form == .central, rows: isTooMany ? .max : rows, staleness: job.staleness)
  }

  private func makeReporter(
    _ directory: RunDirectory?, _ resumed: StreamState?, _ schema: (names: [String], count: Int)
  ) throws -> StreamReporter? {
    var reporter: StreamReporter?
    _ = try Agreement.fromRoot(world) {
      guard let directory else { return [] }
      try directory.begin(job: job.json)
      try store.removeUnfinished()
      let log = try MetricsLog(path: directory.metricsPath, keepingThrough: resumed?.rows, key: "rows")
      reporter = StreamReporter(
        log: log, store: store, rows: resumed?.rows ?? 0, secondsBefore: resumed?.seconds ?? 0, columns: schema.names,
        inputs: schema.count
      ) { [job] loop in try Self.describe(loop, job, schema.names) }
      return []
    }
    return reporter
  }

  /// What the model file says; features are standardised as the statistics of the stream have them now.
  private static func describe(_ loop: StreamLoop, _ job: StreamJob, _ columns: [String]) throws -> ModelDescription {
    let normalization = try loop.learner.normalization.map {
      try Normalization(means: $0.means, scales: $0.scales)
    }
    return ModelDescription(
      model: loop.learner.model, classNames: loop.classes?.names ?? [], columns: columns,
      target: job.source.schema.target, normalization: normalization, step: loop.rows, job: job.definition)
  }

  /// Saves the state of a stream that goes on later, and writes the model of one that is over.
  private func finish(
    _ loop: StreamLoop, _ outcome: StreamLoop.Outcome, _ reporter: StreamReporter?, columns: [String]
  ) throws -> Result {
    if loop.rows > 0 { try loop.save() }
    loop.parting()
    let path = FileSystem.join(job.output, ModelFile.name)
    if outcome == .ended {
      _ = try Agreement.fromRoot(world) {
        let description = try Self.describe(loop, job, columns)
        // The rows first: a model is never there without what belongs to it.
        if loop.rows > 0 { try loop.sample?.publish(into: job.output, description) }
        try ModelFile.publish(loop.learner.parameters, description, as: path)
        return []
      }
    }
    let own = loop.sources.sources.reduce(into: RowsLeftOut()) { $0 += $1.position.leftOut }
    let counts = try world.allGather(own.counts)
    return Result(
      isStopped: outcome == .stopped, rows: loop.rows,
      leftOut: counts.reduce(into: RowsLeftOut()) { $0 += RowsLeftOut(counts: $1) },
      drifts: loop.drift?.drifts,
      newClasses: Array((loop.classes?.names ?? []).dropFirst(job.learner.classes?.count ?? 0)),
      measures: reporter?.last, window: reporter?.lastWindow,
      seconds: reporter?.seconds ?? 0, modelPath: path)
  }

  /// Says what went wrong without ending the run.
  private static func warn(_ message: String) {
    StandardStream.error.write("apus: warning: \(message)\n")
  }
}
