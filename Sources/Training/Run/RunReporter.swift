import Failures
import Files
import JSON
import Parallel
import Text
import Watch

/// Tells the user how a training goes: lines in `metrics.jsonl`, progress on standard error. Lives on rank 0.
public final class RunReporter {
  /// Least seconds between two lines of the log where the job does not name steps.
  private static let logInterval = 0.1

  /// The part of the time that is worth a word.
  private static let notableShare = 0.1

  private let log: MetricsLog
  private let plan: TrainingPlan
  private let logEvery: Int
  private let clock = ContinuousClock()
  private let spentSeconds: () -> Spent

  /// Seconds of rank 0 so far.
  public struct Spent: Sendable {
    var reading = 0.0
    /// For rows, which are read by a thread beside the training or, without one, in it.
    var awaitingRows = 0.0
    var reducing = 0.0
    /// For what other stages of a pipeline and parts of a layer send; nil where there are none.
    var waiting: Double?
  }

  /// Training time, with validation and saving left out.
  private var worked = 0.0
  private var workingSince: ContinuousClock.Instant
  private var firstStep = 0
  /// Training time and samples when the last line of the log was written.
  private var logged = (time: 0.0, samples: 0)
  private var loggedSpent = Spent()
  private var progressed = 0.0
  private var begun = (time: 0.0, samples: 0)
  private var progressLine = ProgressLine()
  private var failed = false
  private var hasWarnedOfSkipping = false

  public init(log: MetricsLog, plan: TrainingPlan, logEvery: Int, spent: @escaping () -> Spent) {
    self.log = log
    self.plan = plan
    self.logEvery = logEvery
    spentSeconds = spent
    workingSince = clock.now
  }

  /// Training seconds so far.
  private var time: Double { worked + (clock.now - workingSince) / .seconds(1) }

  /// The first step follows.
  func begin(_ state: TrainingState) {
    workingSince = clock.now
    firstStep = state.step
    logged.samples = state.samples
    begun.samples = state.samples
  }

  /// Training seconds of this start.
  public var seconds: Double { worked }

  /// Something that is not training begins, and ends.
  func pause() { worked = time }
  func resume() { workingSince = clock.now }

  /// A step is done.
  func note(_ step: TrainingPlan.Step, _ totals: StepTotals, _ state: TrainingState, learningRate: Double) {
    let now = time
    let isLast = state.step == plan.totalSteps
    let isDue =
      logEvery > 0
      ? state.step.isMultiple(of: logEvery) : now - logged.time >= Self.logInterval || state.step == firstStep + 1
    if isDue || isLast || totals.stop { write(step, totals, state, learningRate, now) }
    if now - progressed >= progressLine.interval || progressLine.usesTerminal && isLast {
      progressed = now
      show(step, totals, state, now)
    }
  }

  private func write(
    _ step: TrainingPlan.Step, _ totals: StepTotals, _ state: TrainingState, _ learningRate: Double, _ now: Double
  ) {
    let spent = spentSeconds()
    let elapsed = now - logged.time
    let rate = elapsed > 0 ? Double(state.samples - logged.samples) / elapsed : 0
    var members: [(String, JSONValue)] = [
      ("step", .integer(state.step)), ("epoch", .integer(step.epoch + 1)), ("loss", .number(totals.loss)),
      ("learning_rate", .number(learningRate)), ("samples", .integer(state.samples)),
      ("samples_per_second", .number(Self.rounded(rate))), ("seconds", .number(Self.rounded(now))),
      ("seconds_reading", .number(Self.rounded(spent.reading - loggedSpent.reading))),
      ("seconds_awaiting_rows", .number(Self.rounded(spent.awaitingRows - loggedSpent.awaitingRows))),
      ("seconds_reducing", .number(Self.rounded(spent.reducing - loggedSpent.reducing))),
    ]
    if let waiting = spent.waiting {
      members.append(("seconds_waiting", .number(Self.rounded(waiting - (loggedSpent.waiting ?? 0)))))
    }
    append(members + Self.skipped(state))
    logged = (now, state.samples)
    loggedSpent = spent
  }

  /// Which part of the time goes by until rows are there, where it is one that matters.
  private func rowsShare(of elapsed: Double) -> String {
    let share = spentSeconds().awaitingRows / elapsed
    return share < Self.notableShare ? "" : "  \(Int((100 * min(share, 1)).rounded()))% waiting for data"
  }

  /// Six decimals say all that a clock can know.
  private static func rounded(_ seconds: Double) -> Double { (seconds * 1e6).rounded() / 1e6 }

  /// What was left out so far, where anything was.
  private static func skipped(_ state: TrainingState) -> [(String, JSONValue)] {
    [("skipped_rows", state.skippedRows), ("skipped_steps", state.skippedSteps)].filter { $0.1 > 0 }.map {
      ($0.0, .integer($0.1))
    }
  }

  /// A step was not applied.
  func noteSkipped(_ step: TrainingPlan.Step, _ reason: String, _ state: TrainingState) {
    append([("step", .integer(state.step)), ("epoch", .integer(step.epoch + 1))] + Self.skipped(state))
    guard !hasWarnedOfSkipping else { return }
    hasWarnedOfSkipping = true
    say("step \(grouped(state.step)) is skipped: \(reason); the log counts such steps")
  }

  /// Some ranks are slower than the others.
  func note(_ stragglers: [Straggler], _ state: TrainingState) {
    for straggler in stragglers {
      append([
        ("step", .integer(state.step)), ("straggler", .integer(straggler.rank)), ("host", .string(straggler.host)),
        ("ratio", .number((straggler.ratio * 100).rounded() / 100)), ("phase", .string(straggler.phase.name)),
      ])
      if straggler.isNew { say("\(straggler)") }
    }
  }

  /// Warns.
  private func say(_ message: String) {
    progressLine.end()
    StandardStream.error.write("apus: warning: \(message)\n")
  }

  /// A validation is done.
  func note(_ metrics: Metrics, _ state: TrainingState, epoch: Int) {
    var members: [(String, JSONValue)] = [
      ("step", .integer(state.step)), ("epoch", .integer(epoch + 1)), ("validation_loss", .number(metrics.loss)),
    ]
    members += metrics.headline.map { ("validation_\($0.name)", $0.value.map { .number($0) } ?? .null) }
    append(members)
  }

  /// No step follows: the last was done, or the next one failed.
  func end() {
    pause()
    progressLine.end()
    do { try log.synchronize() } catch { warn(error) }
  }

  private func append(_ members: [(String, JSONValue)]) {
    do { try log.append(members) } catch { warn(error) }
  }

  /// A log that cannot be written is no reason to lose a training.
  private func warn(_ error: any Error) {
    guard !failed else { return }
    failed = true
    say("the metrics are not complete: \(Failure(error))")
  }

  private func show(_ step: TrainingPlan.Step, _ totals: StepTotals, _ state: TrainingState, _ now: Double) {
    let elapsed = max(now - begun.time, 1e-9)
    let done = state.step - firstStep
    let left = elapsed / Double(done) * Double(plan.totalSteps - state.step)
    let rate = Double(state.samples - begun.samples) / elapsed
    let line =
      "step \(grouped(state.step))/\(grouped(plan.totalSteps))  epoch \(step.epoch + 1)  loss \(significant(totals.loss, digits: 5))"
      + "  \(grouped(Int(rate))) samples/s\(rowsShare(of: elapsed))  \(duration(left)) left"
    progressLine.show(line)
  }
}
