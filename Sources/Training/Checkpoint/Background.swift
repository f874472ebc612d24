import Failures
import Files

/// Work that is done beside the training, in a thread of its own.
final class Background<Value: Sendable> {
  private let outcome = Monitor<Result<Value, Failure>?>(nil)
  private let worker: WorkerThread?

  /// - Parameters:
  ///   - worker: the thread; where there is none, the failure is the outcome.
  ///   - staysHere: no processor is free for it.
  init(on worker: Result<WorkerThread, Failure>, staysHere: Bool, _ work: @escaping @Sendable () throws -> Value) {
    self.worker = try? worker.get()
    switch worker {
    case .success(let worker):
      worker.perform(staysHere: staysHere) { [outcome] in
        let result = Result { try work() }.mapError { Failure($0) }
        outcome.withLock { $0 = result }
      }
    case .failure(let failure): outcome.withLock { $0 = .failure(failure) }
    }
  }

  /// Whether `value` would give at once.
  var isDone: Bool { outcome.withLock { $0 != nil } }

  /// What the work gave; waits for it.
  func value() throws(Failure) -> Value {
    if !isDone { hurry() }
    guard let result = outcome.wait(until: { $0 != nil }, then: { $0 }) else { preconditionFailure("no outcome") }
    return try result.get()
  }

  /// The work does not give way to the training any more.
  func hurry() { worker?.hurry() }
}
