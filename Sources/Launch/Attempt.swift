import Failures
import Files

/// One start of the ranks, from its beginning to its end.
final class Attempt {
  /// How it ended, and what was seen of it.
  struct Result {
    let code: Int32
    let firstError: String?
    /// When the training began, if it did, and the step that it went on after.
    let begun: (at: ContinuousClock.Instant, step: Int)?
    let ended: ContinuousClock.Instant
    let wish: Wish
  }

  /// What somebody who sent a signal wants.
  enum Wish {
    case goOn
    /// Save and stop.
    case stop
    /// Do not wait for anything.
    case stopNow
  }

  private let child: ChildProcess
  private let signals: SignalQueue
  private let run: any LaunchedRun
  private var errors = FirstError()
  private var begun: (at: ContinuousClock.Instant, step: Int)?
  /// The beginning of a line whose end has not come yet.
  private var line: [UInt8] = []
  private var wish = Wish.goOn
  private var interrupts = 0
  private var lonely: LonelyLauncher
  private var start: StartLimit

  /// - Parameters:
  ///   - patience: how long the launcher may go on when all that it has started has ended, or it is asked to end.
  ///   - startLimit: how long it may take until the training begins; nil for any time.
  init(
    _ command: [String], environment: [String: String?], run: any LaunchedRun, signals: SignalQueue,
    patience: Duration, startLimit: Duration?
  ) throws(FilesError) {
    lonely = LonelyLauncher(patience: patience)
    start = StartLimit(startLimit, patience: patience)
    self.run = run
    self.signals = signals
    // A group of its own: Ctrl-C at a terminal reaches this program alone, which asks the ranks to save.
    child = try ChildProcess(command, environment: environment, captured: [.error], hasOwnGroup: true)
  }

  /// Passes on what the ranks write and the signals that come, until the launcher has ended.
  func finish() throws(FilesError) -> Result {
    var end: ChildProcess.End?
    var isOpen = true
    while end == nil {
      if !isOpen {
        // It is about to end, unless it hangs.
        try signals.wait(timeout: .milliseconds(10))
      } else if try child.output.wait(timeout: interval, orFor: signals) {
        let bytes = try child.output.read()
        isOpen = !bytes.isEmpty
        take(bytes)
      }
      for signal in signals.take() { pass(signal) }
      end = try child.poll()
      if end == nil, let report = start.check(child, hasBegun: begun != nil) { say(report) }
      if end == nil, lonely.isOver(child) {
        StandardStream.error.write("apus: launch: \(child.name) did not end after its ranks had; it is killed\n")
        child.send(.kill)
        end = try child.wait()
      }
    }
    // A rank that outlives its launcher for a moment may hold the pipe open, so its end is not waited for.
    while try child.output.wait(timeout: .milliseconds(50)) {
      let bytes = try child.output.read()
      if bytes.isEmpty { break }
      take(bytes)
    }
    let code = start.isOver ? ExitCode.stalled.rawValue : end?.code ?? 0
    return Result(
      code: code, firstError: errors.text ?? killed(end), begun: begun, ended: .now, wish: wish)
  }

  /// When to look again at the latest.
  private var interval: Duration {
    min(lonely.interval, start.interval(hasBegun: begun != nil) ?? lonely.interval)
  }

  /// Says what has happened, which is then the first error, unless a rank has had one.
  private func say(_ report: String) {
    let text = "apus: launch: \(report)"
    StandardStream.error.write(text)
    for line in text.split(separator: "\n") { errors.take(line: String(line)) }
  }

  private func killed(_ end: ChildProcess.End?) -> String? {
    guard case .killed(let signal) = end else { return nil }
    return "\(child.name) was killed by signal \(signal)"
  }

  private func take(_ bytes: [UInt8]) {
    StandardStream.error.write(bytes)
    if !bytes.isEmpty { lonely.noteOutput() }
    line += bytes
    while let end = line.firstIndex(of: UInt8(ascii: "\n")) {
      take(line: String(decoding: line[..<end], as: UTF8.self))
      line.removeSubrange(...end)
    }
  }

  private func take(line: String) {
    if let step = run.firstStep(announcedBy: line) {
      begun = begun ?? (.now, step)
    } else {
      errors.take(line: line)
    }
  }

  /// SIGTERM and SIGINT would make `mpirun` kill the ranks after a second, in which few can save; SIGUSR1 it hands on. Who presses
  /// Ctrl-C again does not want to wait.
  private func pass(_ signal: SignalQueue.Signal) {
    if signal == .interrupt { interrupts += 1 }
    if interrupts > 1 {
      child.send(interrupts == 2 ? .terminate : .kill)
      wish = .stopNow
    } else if wish == .goOn {
      child.send(signal == .user2 ? .user2 : .user1)
      wish = .stop
    }
  }
}
