import Failures
import Files
import JSON
import MPI
import Online
import Text
import Watch

/// The life of a stream on a rank: rows come, are predicted, scored and learned, and from time to time the ranks combine.
///
/// `run` reads like that line. Whatever the ranks must do alike follows from what they tell each other in `combine`.
final class StreamLoop {
  /// How a stream ended.
  enum Outcome: Equatable {
    /// All sources are at their end, or nothing has come for as long as the job waits.
    case ended
    /// A signal asked for it.
    case stopped
  }

  /// Rows that have not been told to the others are told after so long without new ones.
  private static let quiet = Duration.milliseconds(20)

  private let job: StreamJob
  private(set) var learner: OnlineLearner
  /// A model that learns beside the other one after a drift.
  private(set) var fresh: OnlineLearner?
  private(set) var score: PrequentialScore
  private(set) var drift: DriftResponse?
  private(set) var featureDrift: FeatureDrift?
  private(set) var sources: SourceSet
  private var combination: Combination
  private let reporter: StreamReporter?
  private let isRoot: Bool

  private var batch: RowBatch
  private var outcomes: Outcomes
  private var freshOutcomes: Outcomes
  private var report = RankReport()
  private(set) var latency = LatencyHistogram()
  /// Updates since the last combination.
  private var updates = 0
  /// When a row came last.
  private var lastRow = ContinuousClock.now
  /// Whether none has come for a while.
  private var isQuiet = false
  private var hasToldEnd = false

  /// Rows learned by all ranks, as of the last combination.
  private(set) var rows: Int
  private var lastLog = ContinuousClock.now
  private var loggedRows = 0
  private var lastSave = ContinuousClock.now
  private(set) var savedRows: Int

  init(
    job: StreamJob, parts: StreamParts, sources: [StreamSource], rows: Int, combination: consuming Combination,
    isRoot: Bool, reporter: StreamReporter?
  ) {
    self.job = job
    learner = parts.learner
    fresh = parts.fresh
    score = parts.score
    drift = parts.drift
    featureDrift = parts.featureDrift
    self.sources = SourceSet(sources)
    self.combination = combination
    self.isRoot = isRoot
    self.reporter = reporter
    self.rows = rows
    savedRows = rows
    loggedRows = rows
    batch = RowBatch(columns: parts.inputs, capacity: job.batchRows)
    outcomes = Outcomes(learner.task)
    freshOutcomes = Outcomes(learner.task)
  }

  /// Learns until the stream ends. Collective.
  func run() throws -> Outcome {
    lastRow = .now
    lastSave = .now
    lastLog = .now
    while true {
      Pulse.enter(.reading)
      let taken = try sources.fill(
        &batch, upTo: min(batch.capacity, (job.combineEvery - updates) * job.rows), turn: job.rows)
      if taken > 0 { lastRow = .now }
      passWarningsOn()
      try learnWhatIsDue()
      let isAsked = try combination.isAskedFor()
      noteWishes()
      if isAsked || wantsCombination {
        if !isAsked { try combination.ask() }
        if let outcome = try combine() { return outcome }
      } else if taken == 0, !sources.isBusy {
        try sources.wait(atMost: batch.rows > 0 ? job.wait : .seconds(1), isAlone: combination.ranks == 1)
      }
    }
  }

  // MARK: Learning

  /// Learns whole updates, and one with fewer rows where it has waited for long enough.
  private func learnWhatIsDue() throws {
    let whole = batch.rows / job.rows * job.rows
    if whole > 0 { try learn(whole) }
    guard let first = batch.arrivals.first else { return }
    if job.wait == .zero || ContinuousClock.now - first >= job.wait || sources.hasEnded { try learn(batch.rows) }
  }

  /// Predicts, scores and learns the first `count` rows.
  private func learn(_ count: Int) throws {
    Pulse.enter(.step)
    do {
      try learner.learn(
        batch.features, batch.targets, rows: 0..<count, rowsPerStep: job.rows, outcomes: &outcomes)
      try fresh?.learn(
        batch.features, batch.targets, rows: 0..<count, rowsPerStep: job.rows, outcomes: &freshOutcomes)
    } catch {
      throw Failure(
        .invalidData, "after \(grouped(rows + report.rows)) rows: \(error)",
        hint: "lower optimizer.learning_rate, or standardize the features; the last checkpoint is intact")
    }
    score.add(outcomes)
    noteLatency(count)
    noteEvidence(count)
    report.rows += count
    updates += (count + job.rows - 1) / job.rows
    batch.removeFirst(count)
    Pulse.note(steps: rows + report.rows)
  }

  private func noteLatency(_ count: Int) {
    let now = ContinuousClock.now
    var row = 0
    while row < count {
      // Rows that were read together have one time of arrival.
      let arrived = batch.arrivals[row]
      var end = row + 1
      while end < count, batch.arrivals[end] == arrived { end += 1 }
      latency.add(seconds: (now - arrived) / .seconds(1), rows: end - row)
      row = end
    }
  }

  /// Keeps what the detectors of all ranks are to be told.
  private func noteEvidence(_ count: Int) {
    guard drift != nil else { return }
    let isClassifier = if case .classification = outcomes.task { true } else { false }
    for row in 0..<count { report.errors.append(isClassifier ? outcomes.error(row) : Double(outcomes.losses[row])) }
    if fresh != nil {
      for row in 0..<count {
        report.oldLosses.append(Double(outcomes.losses[row]))
        report.freshLosses.append(Double(freshOutcomes.losses[row]))
      }
    }
    guard featureDrift != nil else { return }
    for row in 0..<count { report.columns += featureDrift?.update(batch.features, row: row) ?? [] }
  }

  // MARK: Combining

  /// Takes note of what this rank wants the others to know.
  private func noteWishes() {
    let now = ContinuousClock.now
    report.flags = []
    if Termination.isRequested { report.flags.insert(.stops) }
    isQuiet = batch.rows == 0 && now - lastRow >= Self.quiet
    let isIdle = job.idle.map { now - lastRow >= .seconds($0) } ?? false
    if batch.rows == 0, sources.hasEnded || isIdle { report.flags.insert(.hasEnded) }
    if isRoot { noteWhatIsDue(now) }
  }

  /// Whether this rank wants the ranks to combine now.
  private var wantsCombination: Bool {
    let tells = report.flags.contains(.hasEnded) && !hasToldEnd
    return updates >= job.combineEvery || isQuiet && report.rows > 0 || tells
      || !report.flags.isDisjoint(with: [.stops, .logs, .saves])
  }

  /// Lines of the log and checkpoints, by the rows and the clock of rank 0.
  private func noteWhatIsDue(_ now: ContinuousClock.Instant) {
    let known = rows + report.rows
    if known > loggedRows {
      let isDue = job.logRows > 0 ? known - loggedRows >= job.logRows : now - lastLog >= .seconds(1)
      if isDue { report.flags.insert(.logs) }
    }
    guard known > savedRows else { return }
    let isTime = job.checkpointSeconds > 0 && now - lastSave >= .seconds(job.checkpointSeconds)
    if isTime || job.checkpointRows > 0 && known - savedRows >= job.checkpointRows { report.flags.insert(.saves) }
  }

  /// Tells the other ranks what was learned, and does what all of them want. Collective.
  /// - Returns: how the stream ends, if it does.
  private func combine() throws -> Outcome? {
    if batch.rows > 0 { try learn(batch.rows) }
    noteWishes()
    let isEnd = report.flags.contains(.hasEnded)
    hasToldEnd = isEnd
    let reports = try combination.exchange(report)
    let learned = reports.reduce(0) { $0 + $1.rows }
    try combination.combine(learner, rows: (Double(report.rows), Double(learned)))
    if let fresh { try combination.combine(fresh, rows: (Double(report.rows), Double(learned))) }
    try respond(to: reports, from: rows)
    rows += learned
    report = RankReport()
    updates = 0
    let flags = reports.reduce(into: RankReport.Flags()) { $0.formUnion($1.flags) }
    let stops = flags.contains(.stops)
    let ends = reports.allSatisfy { $0.flags.contains(.hasEnded) }
    if flags.contains(.logs) || stops || ends { try log(isLast: stops || ends) }
    if flags.contains(.saves), !stops, !ends { try saveOnTheWay() }
    return stops ? .stopped : ends ? .ended : nil
  }

  // MARK: Drift

  /// Feeds the detectors with what all ranks saw, and answers their signals. The same on every rank.
  private func respond(to reports: [RankReport], from row: Int) throws {
    guard var drift else { return }
    defer { self.drift = drift }
    let learned = reports.reduce(0) { $0 + $1.rows }
    var events = drift.observe(DriftEvidence.merged(reports.map(\.errors)), from: row)
    events += drift.observe(columns: Set(reports.flatMap(\.columns)).sorted(), at: row + learned)
    let verdict = drift.compare(
      old: DriftEvidence.merged(reports.map(\.oldLosses)), fresh: DriftEvidence.merged(reports.map(\.freshLosses)))
    if verdict != .undecided, let challenger = fresh {
      if verdict == .fresh { learner = challenger }
      fresh = nil
      reporter?.note(verdict, row: row + learned)
    }
    for event in events { try respond(to: event, &drift, at: row + learned) }
    if drift.lowers(at: row + learned) { learner.learningRateFactor = 1 }
  }

  private func respond(to event: DriftResponse.Event, _ drift: inout DriftResponse, at row: Int) throws {
    let action = drift.action(event)
    reporter?.note(event, action)
    switch action {
    case .report: break
    case .raiseRate: learner.learningRateFactor = drift.raise(at: row)
    case .resetOptimizer: learner.resetOptimizer()
    case .switchModel:
      // A second drift finds a fresh model that has seen both worlds: another one begins.
      fresh = try learner.fresh(seed: UInt64(event.row))
      try drift.beginSwitch()
    }
  }

  // MARK: Log and checkpoints

  /// Writes a line of the log. Collective.
  private func log(isLast: Bool) throws {
    lastLog = .now
    // A stream that was at its end already when it was resumed has its last line.
    let isNew = rows > loggedRows
    loggedRows = rows
    let own = RankMeasures(score: score, latency: latency, sources: sources.sources)
    try Pulse.during(.evaluation) {
      try combination.gather({ own.encoded }) { others in
        var all = own
        for other in others { all.merge(try RankMeasures(encoded: other, task: learner.task, settings: job.score)) }
        reporter?.log(all, self, appends: isNew, isLast: isLast)
      }
    }
    latency.removeAll()
  }

  /// Writes a checkpoint. One that cannot be written is given up with a warning: the next one may succeed. Collective.
  private func saveOnTheWay() throws {
    do {
      try save()
    } catch let failure as Failure where failure.isShared {
      lastSave = .now
      reporter?.warn("a checkpoint was not saved, and the stream goes on: \(failure.message)")
    }
  }

  /// Writes a checkpoint. Collective.
  func save() throws {
    try Pulse.during(.checkpoint) {
      try combination.gather({ Array(state.json.serialized(pretty: false).utf8) }) { others in
        let ranks = try others.map { try JSONNode(parsing: $0, dialect: .json, valueLimit: 100_000_000) }
        try reporter?.save(self, [JSONNode(state.json)] + ranks)
      }
    }
    savedRows = rows
    lastSave = .now
    for source in sources.sources { source.acknowledge() }
  }

  /// Lets the servers know of the last checkpoint before they are left.
  func parting() {
    for source in sources.sources where !source.isAcknowledged() {
      warn("'\(source.path)' has not heard of the last checkpoint, and will when the stream is resumed")
    }
  }

  private func passWarningsOn() {
    for source in sources.sources { for warning in source.takeWarnings() { warn(warning) } }
  }

  /// Says what went wrong with a source of this rank.
  private func warn(_ message: String) {
    if let reporter { reporter.warn(message) } else { StandardStream.error.write("apus: warning: \(message)\n") }
  }

  /// What this rank needs to go on.
  private var state: RankState {
    RankState(
      learner: learner.json, fresh: fresh?.json, score: score.json, featureDrift: featureDrift?.json,
      positions: sources.sources.map(\.position))
  }
}
