import Files

/// When a thread of its own reads the windows of rows that come next.
public enum ReadingAhead: Sendable {
  /// The training reads its rows itself.
  case never
  /// From the first window on: there is a processor for it.
  case always
  /// From the first window on whose reading was mostly waiting for a disk or a network.
  ///
  /// On the processor of the training a thread gains nothing where the files are in memory. It would even cost: ranks that read
  /// themselves read in the same step, while threads delay one rank after the other, and all wait each time.
  case whereBlocked

  /// - Parameter clock: begun before a window was read.
  func begins(after clock: WorkClock) -> Bool {
    switch self {
    case .never: false
    case .always: true
    case .whereBlocked: clock.hasSlept && clock.waited > max(clock.worked, .milliseconds(1))
    }
  }
}

/// Tells how long the calling thread has worked since the clock was made, and how long it has waited.
struct WorkClock {
  private let start = ContinuousClock.now
  private let workedBefore = Machine.threadTime
  private let sleepsBefore = Machine.threadSleeps

  /// Time on a processor.
  var worked: Duration { Machine.threadTime - workedBefore }
  /// Whether it has waited for something, and not only for others to leave it a processor.
  var hasSlept: Bool { Machine.threadSleeps > sleepsBefore }
  /// Time off the processor.
  var waited: Duration { start.duration(to: .now) - worked }
}
