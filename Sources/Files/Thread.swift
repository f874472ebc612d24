import CProcess
import Glibc

/// A thread of the operating system that runs one closure beside the thread that started it.
///
/// No signal is delivered to it: they go to the threads that took them before, so a handler never runs in the middle of its work. The
/// `FaultPlan` of who starts it holds in it too. `Monitor` is how two threads talk.
///
/// The end of the value waits for the end of the thread, so that nothing that the closure uses goes away under it; `join()` says so
/// in words.
/// Corresponds to `pthread_create(3)`.
public struct Thread: ~Copyable, Sendable {
  private let handle: pthread_t

  /// Starts the thread.
  /// - Parameter name: what `top -H` and debuggers show of it; the first 15 bytes count.
  /// - Throws: `FilesError` where the limit of threads is reached or memory is missing; `body` is then not run.
  public init(_ name: String, _ body: @escaping @Sendable () -> Void) throws(FilesError) {
    let work = ThreadWork(name: name, faults: FaultPlan.current, body: body)
    handle = try naming("thread \(name)", "start") { () throws(SystemCall.Failure) in
      try SystemCall.startThread(work)
    }
  }

  deinit {
    let code = pthread_join(handle, nil)
    precondition(code == 0, "pthread_join failed with \(code)")
  }

  /// Waits until the closure has returned.
  public consuming func join() {}
}

/// What a new thread is given.
final class ThreadWork: Sendable {
  private let name: String
  private let faults: FaultPlan?
  private let body: @Sendable () -> Void

  init(name: String, faults: FaultPlan?, body: @escaping @Sendable () -> Void) {
    self.name = name
    self.faults = faults
    self.body = body
  }

  func run() {
    unsafe name.withCString { name in unsafe cprocess_name_thread(name) }
    FaultPlan.$current.withValue(faults) { body() }
  }
}

extension SystemCall {
  /// Starts a thread in which every signal is blocked but those that a fault of its own raises.
  static func startThread(_ work: ThreadWork) throws(Failure) -> pthread_t {
    let context = unsafe Unmanaged.passRetained(work).toOpaque()
    var handle = pthread_t()
    do {
      _ = try made(.thread) {
        var before = sigset_t()
        unsafe cprocess_block_signals(&before)
        // Unlike other calls it returns the error; a thread inherits the blocked signals of the one that makes it.
        let code = unsafe pthread_create(&handle, nil, runThread, context)
        unsafe pthread_sigmask(SIG_SETMASK, &before, nil)
        errno = code
        return code == 0 ? 0 : -1
      }
    } catch {
      unsafe Unmanaged<ThreadWork>.fromOpaque(context).release()
      throw error
    }
    return handle
  }
}

private func runThread(_ context: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
  guard let context = unsafe context else { return nil }
  unsafe Unmanaged<ThreadWork>.fromOpaque(context).takeRetainedValue().run()
  return nil
}
