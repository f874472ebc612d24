public import JSON
import Text

/// What became of a launched run: its attempts, and what the failed ones have cost.
public struct LaunchReport: Equatable, Sendable {
  public struct Attempt: Equatable, Sendable {
    /// What the launcher exited with, or 128 + the signal that ended it.
    public let code: Int32
    public let seconds: Double
    /// The step it went on after; nil where it did not come to train.
    public let firstStep: Int?
    /// Steps that it did and that no checkpoint holds.
    public let lostSteps: Int
    /// From the end of the attempt before, or of the first one since a training was under way, to the beginning of this training;
    /// nil for the first training.
    public let secondsToResume: Double?
    public let hosts: String?
    public let firstError: String?
  }

  public internal(set) var attempts: [Attempt] = []
  /// The step that the run has come to, with everything saved.
  public internal(set) var lastStep = 0

  public var restarts: Int { max(0, attempts.count - 1) }
  public var lostSteps: Int { attempts.reduce(0) { $0 + $1.lostSteps } }
  /// Steps that were done in this launch and kept.
  public var usefulSteps: Int { max(0, lastStep - (attempts.lazy.compactMap(\.firstStep).first ?? lastStep)) }
  private var resumptions: [Double] { attempts.compactMap(\.secondsToResume).sorted() }

  /// The `share`-th part of the resumptions took no longer than this (nearest rank); nil where there were none.
  public func secondsToResume(share: Double) -> Double? {
    let sorted = resumptions
    guard !sorted.isEmpty else { return nil }
    return sorted[max(0, Int((share * Double(sorted.count)).rounded(.up)) - 1)]
  }

  /// The rows of the report, for people.
  public var text: String {
    let done = usefulSteps + lostSteps
    let share = done > 0 ? " (\(fixed(100 * Double(lostSteps) / Double(done), decimals: 1)) % of all done)" : ""
    var rows = [
      ("useful steps", grouped(usefulSteps)), ("lost steps", grouped(lostSteps) + share),
      ("restarts", grouped(restarts)),
    ]
    if let median = secondsToResume(share: 0.5), let most = secondsToResume(share: 1) {
      rows.append(("to resume", "median \(duration(median)), longest \(duration(most))"))
    }
    return rows.map { "\(padded($0.0, to: 13))  \($0.1)\n" }.joined()
  }

  public var json: JSONValue {
    func number(_ value: Double?) -> JSONValue { value.map { .number($0) } ?? .null }
    func text(_ value: String?) -> JSONValue { value.map { .string($0) } ?? .null }
    let list = attempts.map { attempt in
      JSONValue.object([
        ("code", .integer(Int(attempt.code))), ("seconds", .number(attempt.seconds)),
        ("first_step", attempt.firstStep.map { .integer($0) } ?? .null), ("lost_steps", .integer(attempt.lostSteps)),
        ("seconds_to_resume", number(attempt.secondsToResume)), ("hosts", text(attempt.hosts)),
        ("first_error", text(attempt.firstError)),
      ])
    }
    return .object([
      ("useful_steps", .integer(usefulSteps)), ("lost_steps", .integer(lostSteps)), ("restarts", .integer(restarts)),
      ("seconds_to_resume_median", number(secondsToResume(share: 0.5))),
      ("seconds_to_resume_95", number(secondsToResume(share: 0.95))), ("attempts", .array(list)),
    ])
  }
}
