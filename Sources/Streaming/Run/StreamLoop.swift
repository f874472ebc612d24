import Failures
import Files
import JSON
import Kernels
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
  /// How long after it has heard from another one a rank without rows looks for more without a nap.
  private static let nearly = Duration.milliseconds(2)
  /// A rank that is too far ahead of others for so long waits for them in a combination.
  private static let patience = Duration.seconds(1)
  /// So long ranks that do not wait for each other are without a combination at most, in which one that has died or hangs is missed.
  private static let longestApart = Duration.seconds(2)
  /// Updates whose rows are taken at a time where each is one of all ranks.
  private static let updatesAhead = 32

  private let job: StreamJob
  private let form: CombinationForm
  private let updatesPerTurn: Int
  private(set) var learner: OnlineLearner
  /// A model that learns beside the other one after a drift.
  private(set) var fresh: OnlineLearner?
  private(set) var score: PrequentialScore
  private(set) var drift: DriftResponse?
  private(set) var featureDrift: FeatureDrift?
  private(set) var sources: SourceSet
  /// Rows for later trainings; all of them on rank 0 once a checkpoint is written.
  private(set) var sample: StreamSample?
  /// Nil where targets are numbers.
  private(set) var classes: StreamClasses?
  private var combination: Combination
  /// The learners, where the ranks wait for each other.
  private var shared: [SharedLearner] = []
  /// How those tell each other what they learn who do not wait for each other.
  private let deltas: DeltaExchange?
  private let reporter: StreamReporter?
  private let isRoot: Bool

  private var batch: RowBatch
  private var outcomes: Outcomes
  private var freshOutcomes: Outcomes
  private var report = RankReport()
  /// Rows since the last combination that this rank has told the others, and that it has heard of; nobody waits for either.
  private var told = 0
  private var heard = 0
  /// What the detectors have found since then, on rank 0.
  private var findings = DriftFindings()
  /// When this rank has heard from another one.
  private var lastContact = ContinuousClock.now
  private var lastCombination = ContinuousClock.now
  /// Since when the others are too far behind.
  private var aheadSince: ContinuousClock.Instant?
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
  private var schedule: StreamSchedule

  init(
    job: StreamJob, parts: StreamParts, sources: [StreamSource], sample: StreamSample?, rows: Int,
    combination: consuming Combination, classes: StreamClasses?, deltas: DeltaExchange?, isRoot: Bool,
    reporter: StreamReporter?
  ) {
    self.job = job
    let ranks = combination.ranks
    form = ranks > 1 ? job.form : .parameters
    self.deltas = deltas
    learner = parts.learner
    fresh = parts.fresh
    score = parts.score
    drift = parts.drift
    featureDrift = parts.featureDrift
    self.sources = SourceSet(sources)
    self.sample = sample
    self.classes = classes
    self.combination = combination
    self.isRoot = isRoot
    self.reporter = reporter
    self.rows = rows
    schedule = StreamSchedule(job, rows: rows)
    updatesPerTurn = job.updatesPerTurn(ranks: ranks, columns: parts.inputs)
    batch = RowBatch(
      columns: parts.inputs, capacity: job.batchRows(ranks: ranks, columns: parts.inputs), keepsNumbers: sample != nil)
    outcomes = Outcomes(learner.task)
    freshOutcomes = Outcomes(learner.task)
  }

  /// Learns until the stream ends. Collective.
  func run() throws -> Outcome {
    lastRow = .now
    lastCombination = .now
    schedule.begin()
    share()
    while true {
      let taken = try read(updates: updatesPerTurn - updates)
      passWarningsOn()
      if form != .gradients { try learnWhatIsDue() }
      if let deltas, try deltas.take(learners, hear) { lastContact = .now }
      let isAsked = try combination.isAskedFor()
      noteWishes()
      if isAsked || wantsCombination || form == .gradients && rowsDue > 0 {
        if !isAsked { try combination.ask() }
        if let outcome = form == .gradients ? try stepTogether() : try combine() { return outcome }
        lastContact = .now
      } else if let deltas, wantsToTell, mayTell(deltas) {
        try tell(deltas)
      } else if taken == 0, !sources.isBusy, !isAnswerNear {
        try sources.wait(atMost: batch.rows > 0 ? job.wait : .seconds(1), isAlone: combination.ranks == 1)
      }
    }
  }

  /// Takes rows that are there, for at most so many updates; returns how many.
  private func read(updates: Int) throws -> Int {
    Pulse.enter(.reading)
    // What is learned an update at a time is not taken far ahead.
    let updates = form == .gradients ? min(updates, Self.updatesAhead) : updates
    let most = min(batch.capacity, updates * job.rows, combination.ranks == 1 ? schedule.rowsUntilDue(knownRows) : .max)
    let taken = try sources.fill(&batch, upTo: most, turn: job.rows)
    if taken > 0 { lastRow = .now }
    return taken
  }

  // MARK: Learning

  /// Rows that have come and are to be learned now: whole updates, and one with fewer rows where it has waited for long enough.
  private var rowsDue: Int {
    guard let first = batch.arrivals.first else { return 0 }
    let isOver = job.wait == .zero || sources.hasEnded || ContinuousClock.now - first >= job.wait
    return isOver ? batch.rows : batch.rows / job.rows * job.rows
  }

  private func learnWhatIsDue() throws {
    let rows = rowsDue
    if rows > 0 { try learn(rows) }
  }

  /// Predicts, scores and learns the first `count` rows.
  private func learn(_ count: Int) throws {
    Pulse.enter(.step)
    do {
      try learner.learn(
        batch.features, batch.targets, rows: 0..<count, rowsPerStep: job.rows, outcomes: &outcomes)
      try fresh?.learn(
        batch.features, batch.targets, rows: 0..<count, rowsPerStep: job.rows, outcomes: &freshOutcomes)
    } catch { throw failure(error) }
    updates += (count + job.rows - 1) / job.rows
    noteLearned(count)
  }

  private func failure(_ error: OnlineError) -> Failure {
    Failure(
      .invalidData, "after \(grouped(knownRows)) rows: \(error)",
      hint: "lower optimizer.learning_rate, or standardize the features; the last checkpoint is intact")
  }

  /// The first `count` rows are learned; what was said of them before is in the outcomes.
  private func noteLearned(_ count: Int) {
    for newcomer in batch.newcomers where newcomer.row < count {
      outcomes.predict(newcomer.predicted, row: newcomer.row)
    }
    score.add(outcomes)
    noteLatency(count)
    noteEvidence(count)
    if sample != nil { keep(count) }
    report.rows += count
    batch.removeFirst(count)
    Pulse.note(steps: knownRows)
  }

  /// Makes updates of all ranks, as long as one of them has rows for one; one without rows adds none. Collective.
  ///
  /// Where there is more to be told, all learn what they have taken first, and then combine.
  /// - Returns: how the stream ends, if it does.
  private func stepTogether() throws -> Outcome? {
    var isLast = false
    var all: StepSum.Totals
    repeat {
      if !isLast, batch.rows < job.rows { _ = try read(updates: updatesPerTurn - updates) }
      Pulse.enter(.step)
      let count = min(job.rows, isLast ? batch.rows : rowsDue)
      try accumulate(count)
      if count > 0 { noteLearned(count) }
      updates += 1
      noteWishes()
      var own = StepSum.Totals(rows: count, ranks: count > 0 ? 1 : 0)
      own.due = rowsDue > 0 ? 1 : 0
      own.left = batch.rows > 0 ? 1 : 0
      own.wishes = wantsCombination ? 1 : 0
      all = try combination.sum(own, learner, fresh)
      for learner in shared { learner.step(all) }
      isLast = isLast || all.wishes > 0
    } while isLast ? all.left > 0 : all.due > 0
    return isLast ? try combine() : nil
  }

  /// Predicts the first `count` rows, and finds their gradients.
  private func accumulate(_ count: Int) throws {
    guard count > 0 else { return }
    do {
      try learner.accumulate(batch.features, batch.targets, rows: 0..<count, outcomes: &outcomes)
      try fresh?.accumulate(batch.features, batch.targets, rows: 0..<count, outcomes: &freshOutcomes)
    } catch { throw failure(error) }
  }

  /// Offers the first `count` rows to the sample.
  private func keep(_ count: Int) {
    for row in 0..<count {
      sample?.offer(batch.numbers[row], target: batch.targets[row]) { batch.values(ofRow: row) }
    }
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

  // MARK: Telling those who go on

  private var learners: [OnlineLearner] { [learner, fresh].compactMap { $0 } }

  /// Rows learned by all ranks, as far as this one knows.
  private var knownRows: Int { rows + told + heard + report.rows }

  /// Whether there is something to tell that the others can take in while they go on.
  private var wantsToTell: Bool { report.rows > 0 && (updates >= updatesPerTurn || isQuiet) }

  private func mayTell(_ deltas: DeltaExchange) -> Bool {
    let may = deltas.mayPost
    aheadSince = may ? nil : aheadSince ?? .now
    return may
  }

  /// Whether something of another rank, which may wait for this one, is more likely to come than not within the time of a nap.
  private var isAnswerNear: Bool {
    guard combination.ranks > 1 else { return false }
    return ContinuousClock.now - max(lastContact, aheadSince ?? lastContact) < Self.nearly
  }

  /// Tells the others what was learned, without waiting.
  private func tell(_ deltas: DeltaExchange) throws {
    try deltas.post(report, learners)
    if isRoot { find([report], from: rows + told + heard) }
    told += report.rows
    report = RankReport()
    updates = 0
  }

  private func hear(_ report: RankReport) {
    if isRoot { find([report], from: rows + told + heard) }
    heard += report.rows
  }

  // MARK: Combining

  /// Takes note of what this rank wants the others to know.
  private func noteWishes() {
    let now = ContinuousClock.now
    report.flags = []
    if Termination.isRequested { report.flags.insert(.stops) }
    isQuiet = batch.rows == 0 && now - lastRow >= Self.quiet
    let isIdle = job.idle.map { now - lastRow >= .seconds($0) } ?? false
    if !sources.newClasses.isEmpty {
      report.flags.insert(.meetsClasses)
    } else if batch.rows == 0, sources.hasEnded || isIdle {
      report.flags.insert(.hasEnded)
    }
    if isRoot { noteWhatIsDue(now) }
  }

  /// Whether this rank wants the ranks to combine now.
  private var wantsCombination: Bool {
    let tells = report.flags.contains(.hasEnded) && !hasToldEnd
    if tells || !report.flags.isDisjoint(with: [.stops, .logs, .saves, .meetsClasses]) { return true }
    guard form.isLoose else { return updates >= updatesPerTurn || isQuiet && report.rows > 0 }
    let now = ContinuousClock.now
    if now - lastCombination >= Self.longestApart { return true }
    if isRoot, !findings.isEmpty || (drift?.raisedUntil).map({ $0 > 0 && knownRows >= $0 }) ?? false { return true }
    // Where all wait, the watchdog sees for whom.
    return aheadSince.map { now - $0 >= Self.patience } ?? false
  }

  /// Lines of the log and checkpoints, by the rows and the clock of rank 0.
  private func noteWhatIsDue(_ now: ContinuousClock.Instant) {
    if schedule.isLogDue(knownRows, now) { report.flags.insert(.logs) }
    if schedule.isCheckpointDue(knownRows, now) { report.flags.insert(.saves) }
  }

  /// Tells the other ranks what was learned, and does what all of them want. Collective.
  /// - Returns: how the stream ends, if it does.
  private func combine() throws -> Outcome? {
    if batch.rows > 0 { try learn(batch.rows) }
    if let deltas {
      if report.rows > 0 { try tell(deltas) }
      try deltas.settle(learners, hear)
      aheadSince = nil
    }
    noteWishes()
    report.rows += told
    let isEnd = report.flags.contains(.hasEnded)
    hasToldEnd = isEnd
    let reports = try combination.exchange(report)
    let learned = reports.reduce(0) { $0 + $1.rows }
    if !form.isLoose, learned > 0 {
      for one in shared {
        if form == .parameters { try combination.combine(one, rows: (Double(report.rows), Double(learned))) }
        try combination.shareEvidence(one.learner)
      }
      find(reports, from: rows)
    }
    try respond(at: rows + learned)
    rows += learned
    report = RankReport()
    (told, heard) = (0, 0)
    updates = 0
    lastCombination = .now
    let flags = reports.reduce(into: RankReport.Flags()) { $0.formUnion($1.flags) }
    if flags.contains(.meetsClasses) { try addClasses() }
    let stops = flags.contains(.stops)
    let ends = reports.allSatisfy { $0.flags.contains(.hasEnded) }
    if flags.contains(.logs) || stops || ends { try log(isLast: stops || ends) }
    if flags.contains(.saves), !stops, !ends { try saveOnTheWay() }
    return stops ? .stopped : ends ? .ended : nil
  }

  // MARK: Classes

  /// Adds the classes that rows of any rank wait for. The same on every rank. Collective.
  private func addClasses() throws {
    guard var classes else { return }
    let known = classes.count
    for label in try combination.share(sources.newClasses) { classes.add(label) }
    // Said before the models know the classes: rows that bring one are errors.
    try sources.know(classes, predict: predictedClass)
    guard classes.count > known else { return }
    for learner in learners { try learner.addClasses(to: classes.count) }
    score.addClasses(to: classes.count)
    shared = []
    share()
    self.classes = classes
    reporter?.note(classes: classes.names, from: known, row: rows)
  }

  /// The class that the model takes a row for.
  private func predictedClass(_ features: [Float]) throws -> Int {
    var outcomes = Outcomes(learner.task)
    do {
      try learner.predict(FloatBuffer(features), rows: 0..<1, outcomes: &outcomes)
    } catch { throw failure(error) }
    return Int(outcomes.predictions[0])
  }

  // MARK: Drift

  /// Feeds the detectors with what ranks saw from row `row` on. Where all ranks combine at the same time each does so, alike; else rank 0.
  private func find(_ reports: [RankReport], from row: Int) {
    guard drift != nil else { return }
    let learned = reports.reduce(0) { $0 + $1.rows }
    findings.events += drift?.observe(DriftEvidence.merged(reports.map(\.errors)), from: row) ?? []
    findings.events += drift?.observe(columns: Set(reports.flatMap(\.columns)).sorted(), at: row + learned) ?? []
    let verdict = drift?.compare(
      old: DriftEvidence.merged(reports.map(\.oldLosses)), fresh: DriftEvidence.merged(reports.map(\.freshLosses)))
    if let verdict, verdict != .undecided { findings.verdict = verdict }
  }

  /// Answers what the detectors have found. The same on every rank. Collective.
  private func respond(at row: Int) throws {
    guard var drift else { return }
    defer { self.drift = drift }
    let findings = form.isLoose ? try combination.fromRoot(findings) : findings
    self.findings = DriftFindings()
    if findings.verdict != .undecided, let challenger = fresh {
      if findings.verdict == .fresh { learner = challenger }
      fresh = nil
      reporter?.note(findings.verdict, row: row)
    }
    for event in findings.events { try respond(to: event, &drift, at: row) }
    if drift.lowers(at: row) { learner.learningRateFactor = 1 }
    share()
  }

  /// All ranks have equal learners now, which may be others than before.
  private func share() {
    deltas?.begin(learners)
    guard !form.isLoose else { return }
    shared = learners.map { learner in
      shared.first { $0.learner === learner } ?? SharedLearner(learner, form, job.step, ranks: combination.ranks)
    }
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
    let isNew = schedule.noteLog(rows)
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
      schedule.noteFailedCheckpoint()
      reporter?.warn("a checkpoint was not saved, and the stream goes on: \(failure.message)")
    }
  }

  /// Writes a checkpoint. Collective.
  func save() throws {
    try Pulse.during(.checkpoint) {
      try combination.collect(&sample)
      try combination.gather({ Array(state.json.serialized(pretty: false).utf8) }) { others in
        let ranks = try others.map { try JSONNode(parsing: $0, dialect: .json, valueLimit: 100_000_000) }
        try reporter?.save(self, [JSONNode(state.json)] + ranks)
      }
    }
    schedule.noteCheckpoint(rows)
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
