public import Files

/// A thread that notices when a call of this rank does not come to its end in time.
///
/// For calls in which the ranks find each other or part: a `Watchdog` needs ranks that can tell each other where they are.
public final class CallWatch: Sendable {
  private static let look = Duration.milliseconds(250)
  /// More than this between two looks is a pause of the whole process, and counts as so much.
  private static let gap = Duration.seconds(1)

  private let hasEnded: Monitor<Bool>
  private let thread: Thread

  /// Starts to watch.
  /// - Parameters:
  ///   - limit: seconds.
  ///   - raise: ends the rank. Called on a thread of its own.
  /// - Throws: `FilesError` where the thread cannot be started.
  public init(limit: Double, raise: @escaping @Sendable () -> Void) throws(FilesError) {
    let hasEnded = Monitor(false)
    self.hasEnded = hasEnded
    thread = try Thread("apus-call-watch") {
      // No longer than a machine runs.
      var left = Duration.seconds(min(limit, 1e9))
      var looked = SuspendingClock.now
      while hasEnded.wait(atMost: min(Self.look, left), until: { $0 }, then: { _ in true }) == nil {
        let now = SuspendingClock.now
        left -= min(now - looked, Self.gap)
        looked = now
        if left <= .zero { return raise() }
      }
    }
  }

  deinit { end() }

  /// The call has returned.
  public func end() { hasEnded.withLock { $0 = true } }
}
