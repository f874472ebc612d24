import CProcess
import Glibc

/// A value that threads share: one at a time looks at it or changes it, and others can wait for what it becomes.
///
///     let box = Monitor<FloatBuffer?>(nil)                            // a place for one thing
///     box.wait(until: { $0 == nil }, then: { $0 = buffer })           // who makes it
///     let next = box.wait(until: { $0 != nil }, then: { $0.take() })  // who uses it
///
/// Source: C. A. R. Hoare, Monitors: an operating system structuring concept, CACM 17 (1974).
/// Corresponds to `pthread_mutex_lock(3)` and `pthread_cond_wait(3)`.
@safe public final class Monitor<Value: ~Copyable>: @unchecked Sendable {
  private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
  private let changed = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
  /// Touched only by the thread that holds the mutex.
  private var value: Value

  public init(_ value: consuming sending Value) {
    self.value = value
    unsafe pthread_mutex_init(mutex, nil)
    // A clock that nobody sets: a wait must not end early or late because the time of day was put right.
    var attributes = pthread_condattr_t()
    unsafe pthread_condattr_init(&attributes)
    unsafe pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
    unsafe pthread_cond_init(changed, &attributes)
    unsafe pthread_condattr_destroy(&attributes)
  }

  deinit {
    unsafe pthread_cond_destroy(changed)
    unsafe pthread_mutex_destroy(mutex)
    unsafe changed.deallocate()
    unsafe mutex.deallocate()
  }

  /// Runs `body` while no other thread touches the value; who waits looks at it afterwards. Never call it from `body`.
  public func withLock<Result: ~Copyable, Failure: Error>(
    _ body: (inout sending Value) throws(Failure) -> sending Result
  ) throws(Failure) -> sending Result {
    lock()
    defer { unlock() }
    return try body(&value)
  }

  /// Waits until `condition` holds, and runs `body` while it does.
  public func wait<Result: ~Copyable, Failure: Error>(
    until condition: (borrowing Value) -> Bool, then body: (inout sending Value) throws(Failure) -> sending Result
  ) throws(Failure) -> sending Result {
    lock()
    defer { unlock() }
    while !condition(value) { check(unsafe pthread_cond_wait(changed, mutex), "pthread_cond_wait") }
    return try body(&value)
  }

  /// As `wait(until:then:)`, for at most `timeout`; nil where the condition did not come to hold.
  public func wait<Result: ~Copyable, Failure: Error>(
    atMost timeout: Duration, until condition: (borrowing Value) -> Bool,
    then body: (inout sending Value) throws(Failure) -> sending Result
  ) throws(Failure) -> sending Result? {
    var end = Self.time(after: timeout)
    lock()
    defer { unlock() }
    while !condition(value) {
      let code = unsafe pthread_cond_timedwait(changed, mutex, &end)
      if code == ETIMEDOUT { break }
      check(code, "pthread_cond_timedwait")
    }
    return condition(value) ? try body(&value) : nil
  }

  private func lock() { check(unsafe pthread_mutex_lock(mutex), "pthread_mutex_lock") }

  /// Wakes who waits, too; where nobody does, that is a look at a counter.
  private func unlock() {
    unsafe pthread_cond_broadcast(changed)
    check(unsafe pthread_mutex_unlock(mutex), "pthread_mutex_unlock")
  }

  private func check(_ code: Int32, _ call: String) {
    precondition(code == 0, "\(call) failed with \(code)")
  }

  /// The moment `timeout` from now on the clock of the condition; at most 30 years away.
  private static func time(after timeout: Duration) -> timespec {
    var time = timespec()
    unsafe clock_gettime(CLOCK_MONOTONIC, &time)
    let (seconds, attoseconds) = min(max(timeout, .zero), .seconds(1_000_000_000)).components
    let nanoseconds = time.tv_nsec + Int(attoseconds / 1_000_000_000)
    time.tv_sec += Int(seconds) + nanoseconds / 1_000_000_000
    time.tv_nsec = nanoseconds % 1_000_000_000
    return time
  }
}
