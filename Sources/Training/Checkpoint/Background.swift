import Failures
import Files

/// Work that is done beside the training, in a thread of its own. Its end waits for that of the work.
final class Background<Value: Sendable> {
  private let outcome = Monitor<Result<Value, Failure>?>(nil)
  /// Nil where it could not be started, which is then the outcome.
  private let thread: Thread?

  init(_ name: String, _ work: @escaping @Sendable () throws -> Value) {
    do throws(FilesError) {
      thread = try Thread(name) { [outcome] in
        let result = Result { try work() }.mapError { Failure($0) }
        outcome.withLock { $0 = result }
      }
    } catch {
      thread = nil
      let failure = Failure(error)
      outcome.withLock { $0 = .failure(failure) }
    }
  }

  /// Whether `value` would give at once.
  var isDone: Bool { outcome.withLock { $0 != nil } }

  /// What the work gave; waits for it.
  func value() throws(Failure) -> Value {
    guard let result = outcome.wait(until: { $0 != nil }, then: { $0 }) else { preconditionFailure("no outcome") }
    return try result.get()
  }
}
