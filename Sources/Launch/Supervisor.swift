import Failures
public import Files
import Text

/// Starts the ranks of a run, and starts them again from the newest checkpoint when they crash.
public struct Supervisor {
  private let plan: LaunchPlan
  private let run: any LaunchedRun
  private let signals: SignalQueue
  private var policy: RestartPolicy
  public private(set) var report = LaunchReport()
  /// Of the first attempt since the last progress.
  private var firstError: String?
  /// The end of the first attempt since a training was under way.
  private var interrupted: ContinuousClock.Instant?
  private var hosts: Hosts?

  /// Takes over this program's signals.
  public init(_ plan: LaunchPlan, _ run: any LaunchedRun) throws(FilesError) {
    self.plan = plan
    self.run = run
    hosts = plan.hosts
    policy = RestartPolicy(mostRestarts: plan.mostRestarts, firstPause: plan.firstPause)
    signals = try SignalQueue()
  }

  /// Runs to the end of the run, or until nothing helps.
  /// - Returns: the exit code: that of the last attempt, or 75 where somebody asked to stop.
  /// - Throws: `FilesError` where the launcher cannot be started at all.
  public mutating func supervise() throws(FilesError) -> Int32 {
    while true {
      let newest = run.checkpointStep ?? -1
      let result = try attempt()
      let hasProgress = run.checkpointStep ?? -1 > newest
      if hasProgress { firstError = nil }
      firstError = firstError ?? result.firstError
      let isFirst = !report.attempts.contains { $0.firstStep != nil }
      let decision = policy.decide(code: result.code, isFirst: isFirst, madeProgress: hasProgress)
      report.lastStep = (decision == .finished ? run.lastStep : nil) ?? run.checkpointStep ?? 0
      switch (decision, result.wish) {
      case (.finished, _), (.final, _), (_, .stopNow): return result.code
      case (_, .stop): return ExitCode.stopped.rawValue
      case (.givenUp, _):
        sayGivenUp()
        return result.code
      case (.restart(let pause), .goOn):
        if try !wait(pause, result) { return ExitCode.stopped.rawValue }
      }
    }
  }

  private mutating func attempt() throws(FilesError) -> Attempt.Result {
    let since = ContinuousClock.now
    let attempt = try Attempt(
      plan.command(run.program(isRestart: !report.attempts.isEmpty), on: hosts),
      environment: plan.environment(Machine.environment), run: run, signals: signals, patience: plan.patience,
      startLimit: plan.startLimit)
    let result = try attempt.finish()
    var lost = 0
    if result.begun != nil, result.code != ExitCode.success.rawValue {
      lost = max(0, (run.lastStep ?? 0) - (run.checkpointStep ?? 0))
    }
    report.attempts.append(
      LaunchReport.Attempt(
        code: result.code, seconds: (result.ended - since) / .seconds(1), firstStep: result.begun?.step,
        lostSteps: lost,
        secondsToResume: interrupted.flatMap { end in result.begun.map { ($0.at - end) / .seconds(1) } },
        hosts: hosts?.text, firstError: result.code == 0 ? nil : result.firstError))
    if interrupted == nil || result.begun != nil { interrupted = result.ended }
    return result
  }

  /// Waits, and looks which hosts are left; returns false where somebody asks to stop meanwhile.
  private mutating func wait(_ pause: Duration, _ result: Attempt.Result) throws(FilesError) -> Bool {
    let step = run.checkpointStep.map { "from the checkpoint of step \(grouped($0))" } ?? "from the start"
    say(
      """
      the ranks ended with \(result.code): \(result.firstError ?? "nobody said why")
        starting them again \(step) in \(duration(pause / .seconds(1))); restarts without progress: \
      \(policy.restartsWithoutProgress) of \(plan.mostRestarts)
      """)
    let end = ContinuousClock.now + pause
    if let all = plan.hosts, all.list.count > 1 { leaveOut(HostCheck.lost(plan, all), of: all) }
    repeat {
      if !signals.take().isEmpty { return false }
      try signals.wait(timeout: max(.zero, end - .now))
    } while ContinuousClock.now < end
    return signals.take().isEmpty
  }

  private mutating func leaveOut(_ lost: Set<String>, of all: Hosts) {
    let left = all.without(lost)
    if left.list.isEmpty {
      say("no host can be reached; trying all of them")
    } else if !lost.isEmpty {
      say("cannot reach \(lost.sorted().joined(separator: ", ")); going on with \(left.text)")
    }
    hosts = left.list.isEmpty ? all : left
  }

  private func sayGivenUp() {
    let kept =
      run.checkpointStep.map { "the checkpoint of step \(grouped($0)) is the newest" } ?? "there is no checkpoint"
    say(
      """
      the first error was: \(firstError ?? "unknown: nobody said why")
        given up after \(grouped(plan.mostRestarts)) restarts without progress; \(kept)
      """)
  }

  private func say(_ text: String) {
    StandardStream.error.write("apus: launch: \(text)\n")
  }
}
