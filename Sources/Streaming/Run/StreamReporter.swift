import Data
import Failures
import Files
import JSON
import Online
import Text
import Training

/// Tells the user how a stream goes: lines in `metrics.jsonl`, progress on standard error, checkpoints. Lives on rank 0.
final class StreamReporter {
  private let log: MetricsLog
  private let store: CheckpointStore
  private let describe: (StreamLoop) throws -> ModelDescription
  private let schema: (columns: [String], inputs: Int)
  private let begun = ContinuousClock.now
  /// Seconds of earlier starts.
  private let secondsBefore: Double
  private var logged: (rows: Int, seconds: Double)
  private let firstRows: Int
  private var line = ProgressLine()
  private var shown = -Double.infinity
  private var hasFailed = false
  private var warnedSources: Set<String> = []

  /// What the last line of the log said.
  private(set) var last: Measures?
  private(set) var lastWindow: Measures?

  init(
    log: MetricsLog, store: CheckpointStore, rows: Int, secondsBefore: Double, columns: [String], inputs: Int,
    describe: @escaping (StreamLoop) throws -> ModelDescription
  ) {
    self.log = log
    self.store = store
    self.describe = describe
    self.secondsBefore = secondsBefore
    schema = (columns, inputs)
    firstRows = rows
    logged = (rows, secondsBefore)
  }

  /// Seconds of this start.
  var seconds: Double { (ContinuousClock.now - begun) / .seconds(1) }

  // MARK: The log

  func log(_ all: RankMeasures, _ loop: StreamLoop, appends: Bool, isLast: Bool) {
    let score = all.score
    let now = secondsBefore + seconds
    let rate = now > logged.seconds ? Double(loop.rows - logged.rows) / (now - logged.seconds) : 0
    let (whole, window) = (score.whole, score.window)
    (last, lastWindow) = (whole, window)
    var members: [(String, JSONValue)] = [
      ("rows", .integer(loop.rows)), ("seconds", .number(Self.rounded(now))),
      ("rows_per_second", .number(Self.rounded(rate))),
    ]
    members += Self.members(whole, prefix: "") + Self.members(window, prefix: "window_")
    members += Self.members(score.faded, prefix: "faded_")
    for (name, share) in [("latency_median", 0.5), ("latency_99", 0.99)] {
      if let seconds = all.latency.quantile(share) { members.append((name, .number(Self.significant(seconds)))) }
    }
    if let rows = all.rowsLeft { members.append(("lag_rows", .integer(rows))) }
    if let bytes = all.bytesLeft { members.append(("lag_bytes", .integer(bytes))) }
    members += all.leftOut.named.filter { $0.count > 0 }.map { ($0.name, .integer($0.count)) }
    if let drift = loop.drift { members.append(("drifts", .integer(drift.drifts))) }
    if appends { append(members) }
    logged = (loop.rows, now)
    show(loop, all, rate: rate, isLast: isLast)
    warnOfRowsLeftOut(loop)
  }

  private static func members(_ measures: Measures, prefix: String) -> [(String, JSONValue)] {
    (measures.json.asObject ?? []).filter { $0.key != "rows" }.map { (prefix + $0.key, $0.value.value) }
  }

  /// A signal of a detector, and what it led to.
  func note(_ event: DriftResponse.Event, _ action: DriftAction) {
    var members: [(String, JSONValue)] = [
      ("rows", .integer(event.row + 1)), ("drift", .string(event.signal == .drift ? "drift" : "warning")),
      ("action", .string(action.rawValue)),
    ]
    if !event.columns.isEmpty {
      members.append(
        (
          "columns",
          .array(event.columns.map { $0 < schema.columns.count ? .string(schema.columns[$0]) : .integer($0) })
        ))
    }
    append(members)
    line.end()
    let what = event.columns.isEmpty ? "" : " of \(event.columns.count) features"
    StandardStream.error.write(
      "\(event.signal == .drift ? "drift" : "warning of drift")\(what) at row \(grouped(event.row + 1)): \(action.words)\n"
    )
  }

  /// Classes came up: those of `names` from number `known` on.
  func note(classes names: [String], from known: Int, row: Int) {
    let new = Array(names[known...])
    append([
      ("rows", .integer(row)), ("new_classes", .array(new.map { .string($0) })), ("classes", .integer(names.count)),
    ])
    line.end()
    let what = new.count == 1 ? "the class '\(new[0])' is" : "the classes '\(new.joined(separator: "', '"))' are"
    StandardStream.error.write("\(what) new after row \(grouped(row)): the model has \(names.count) now\n")
  }

  /// The comparison of two models is over.
  func note(_ verdict: SwitchRule.Verdict, row: Int) {
    append([("rows", .integer(row)), ("switch", .string(verdict.rawValue))])
    line.end()
    let what = verdict == .fresh ? "the fresh model takes the place of the old one" : "the old model stays"
    StandardStream.error.write("\(what) after row \(grouped(row))\n")
  }

  func warn(_ message: String) {
    line.end()
    StandardStream.error.write("apus: warning: \(message)\n")
  }

  private func append(_ members: [(String, JSONValue)]) {
    do {
      try log.append(members)
    } catch {
      // A log that cannot be written is no reason to lose a stream.
      if !hasFailed { warn("the metrics are not complete: \(Failure(error))") }
      hasFailed = true
    }
  }

  private func warnOfRowsLeftOut(_ loop: StreamLoop) {
    for source in loop.sources.sources where !warnedSources.contains(source.path) {
      guard let fault = source.firstFault else { continue }
      warnedSources.insert(source.path)
      warn("\(fault); the log counts such rows")
    }
  }

  private func show(_ loop: StreamLoop, _ all: RankMeasures, rate: Double, isLast: Bool) {
    let now = seconds
    guard now - shown >= line.interval || isLast && line.usesTerminal else { return }
    shown = now
    var parts = ["rows \(grouped(loop.rows))", "\(grouped(Int(rate))) rows/s"]
    if let whole = last, let window = lastWindow {
      if let accuracy = whole.accuracy {
        parts.append("accuracy \(Self.four(accuracy))\(window.accuracy.map { " (window \(Self.four($0)))" } ?? "")")
      } else if let loss = whole.loss {
        parts.append(
          "loss \(Text.significant(loss, digits: 4))\(window.loss.map { " (window \(Text.significant($0, digits: 4)))" } ?? "")"
        )
      }
    }
    if let rows = all.rowsLeft { parts.append("lag \(grouped(rows)) rows") }
    if let bytes = all.bytesLeft { parts.append("lag \(Text.bytes(bytes))") }
    if let row = loop.drift?.lastDrift { parts.append("drift at \(grouped(row + 1))") }
    line.show(parts.joined(separator: "  "))
  }

  private static func four(_ number: Double) -> String { Text.significant(number, digits: 4) }

  /// Six decimals say all that a clock can know.
  private static func rounded(_ number: Double) -> Double { (number * 1e6).rounded() / 1e6 }

  /// Three digits say all that a histogram can know.
  private static func significant(_ seconds: Double) -> Double {
    Double(Text.significant(seconds, digits: 3)) ?? seconds
  }

  // MARK: Checkpoints and the end

  func save(_ loop: StreamLoop, _ ranks: [JSONNode]) throws {
    var state = StreamState()
    state.rows = loop.rows
    state.seconds = secondsBefore + seconds
    state.columns = schema.columns
    state.inputs = schema.inputs
    state.classes = loop.classes?.names ?? []
    state.drift = loop.drift.map { JSONNode($0.json) }
    state.ranks = ranks
    let warning = try state.write(to: store, loop.learner.parameters, try describe(loop), loop.sample)
    if !warning.isEmpty { warn(warning) }
    // Lines of rows that are saved are kept.
    try log.synchronize()
  }

  func end() {
    line.end()
    do { try log.synchronize() } catch { if !hasFailed { warn("the metrics are not complete: \(Failure(error))") } }
  }
}

extension DriftAction {
  fileprivate var words: String {
    switch self {
    case .report: "noted"
    case .raiseRate: "the learning rate is raised"
    case .resetOptimizer: "the optimizer begins anew"
    case .switchModel: "a fresh model learns beside the old one"
    }
  }
}
