/// What a rank does, as its watchdog sees it. Each has a deadline of its own.
public enum Phase: UInt8, CaseIterable, Sendable {
  /// Everything before the first step.
  case start
  /// Waiting for rows.
  case reading
  case step
  /// Inside a call of the message passing library, whatever it was called for: only others can end that.
  case collective
  case checkpoint
  case evaluation

  /// The name in a job file and in messages.
  public var name: String { "\(self)" }

  init?(name: Substring) {
    guard let phase = Self.allCases.first(where: { $0.name == name }) else { return nil }
    self = phase
  }
}
