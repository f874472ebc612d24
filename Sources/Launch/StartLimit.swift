import Files
import Text
import Watch

/// Ends an attempt whose training does not begin: ranks that have not all begun cannot watch each other.
struct StartLimit {
  private let limit: Duration?
  private let patience: Duration
  private let since = SuspendingClock.now
  private var ended: SuspendingClock.Instant?
  private var isKilled = false

  /// - Parameters:
  ///   - limit: nil for any time.
  ///   - patience: how long the launcher has to end its ranks when it is asked to.
  init(_ limit: Duration?, patience: Duration) {
    self.limit = limit
    self.patience = patience
  }

  /// Whether an attempt has been ended.
  var isOver: Bool { ended != nil }

  /// When to look again, at the latest; nil where there is nothing to look for.
  func interval(hasBegun: Bool) -> Duration? {
    if let ended { return isKilled ? nil : max(.zero, patience - (SuspendingClock.now - ended)) }
    return hasBegun ? nil : limit.map { max(.zero, $0 - (SuspendingClock.now - since)) }
  }

  /// Ends `launcher` where its time is over: it is asked to, and killed with all that it has started where it does not do it.
  /// - Returns: what is to be said, once.
  mutating func check(_ launcher: ChildProcess, hasBegun: Bool) -> String? {
    guard let limit, interval(hasBegun: hasBegun) == .zero else { return nil }
    guard ended == nil else {
      isKilled = true
      launcher.killAll()
      return nil
    }
    ended = .now
    let ranks = HostRanks(startedBy: launcher.processIdentifier)
    launcher.send(.terminate)
    return ranks.report("the training has not begun; --start-limit allows \(duration(limit / .seconds(1)))")
  }
}
