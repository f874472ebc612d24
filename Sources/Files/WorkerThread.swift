import CProcess
import Synchronization

/// A thread that does one piece of work after the other, as they are given to it, and sleeps in between.
///
/// Starting a thread and ending it costs about as much as a hundred system calls. The work gets what the other threads leave of the
/// processors, until somebody hurries it. The end of the value waits until all work is done.
/// Corresponds to `SCHED_IDLE` of `sched(7)`.
public final class WorkerThread: Sendable {
  private struct State {
    var work: [@Sendable () -> Void] = []
    var hasEnded = false
  }

  private let state: Monitor<State>
  /// The number of the thread in the kernel; 0 before it runs.
  private let number: Number
  private let thread: Thread

  private final class Number: Sendable {
    let value = Atomic<pid_t>(0)
  }

  /// Starts the thread.
  /// - Parameter name: as of a `Thread`.
  /// - Throws: `FilesError` where no thread can be started.
  public init(_ name: String) throws(FilesError) {
    let state = Monitor(State())
    let number = Number()
    self.state = state
    self.number = number
    thread = try Thread(name) {
      number.value.store(cprocess_thread(), ordering: .relaxed)
      while let work = Self.next(state) { work() }
    }
  }

  deinit { state.withLock { $0.hasEnded = true } }

  /// Has the thread run `work`, under the `FaultPlan` of the caller.
  /// - Parameter staysHere: on the processor of the caller. Where no processor is free, it takes its time there from the caller, and
  ///   nothing from others that would wait for each other in turn.
  public func perform(staysHere: Bool, _ work: @escaping @Sendable () -> Void) {
    let faults = FaultPlan.current
    let processor = staysHere ? cprocess_processor() : -1
    state.withLock {
      $0.work.append {
        // Hints, both.
        _ = cprocess_set_idle(0, 1)
        _ = cprocess_stay_on(processor)
        FaultPlan.$current.withValue(faults) { work() }
      }
    }
  }

  /// What the thread does now does not give way any more: somebody waits for it.
  public func hurry() {
    let thread = number.value.load(ordering: .relaxed)
    if thread > 0 { _ = cprocess_set_idle(thread, 0) }
  }

  private static func next(_ state: Monitor<State>) -> (@Sendable () -> Void)? {
    state.wait(
      until: { !$0.work.isEmpty || $0.hasEnded }, then: { $0.work.isEmpty ? nil : $0.work.removeFirst() })
  }
}
