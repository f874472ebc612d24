import CProcess
import Glibc
import Synchronization

/// The two streams that a program speaks on.
public enum StandardStream: Sendable {
  /// Results.
  case output
  /// Progress, log and errors.
  case error

  var descriptor: Int32 { self == .output ? STDOUT_FILENO : STDERR_FILENO }

  /// What became of a stream since the program began.
  private enum State {
    case open
    /// Nobody reads it any more; what is written is dropped.
    case closed
    case failed(FilesError)
  }

  private static let outputState = Mutex(State.open)
  private static let errorState = Mutex(State.open)

  /// Without this, a reader that goes away (`apus inspect x | head`) would kill the rank, and mpirun the job.
  private static let brokenPipesAreErrors: Void = {
    _ = signal(SIGPIPE, SIG_IGN)
  }()

  /// Writes all of `text` at once, so that lines of several threads do not mix.
  ///
  /// Text for a reader that has gone away is dropped. Another failure is kept in `failure`: results that could not be
  /// written must not look like success.
  /// - Returns: Whether the text was written.
  @discardableResult
  public func write(_ text: String) -> Bool { write(Array(text.utf8)) }

  /// Writes what another program has written, as it is.
  @discardableResult
  public func write(_ bytes: [UInt8]) -> Bool {
    _ = Self.brokenPipesAreErrors
    return withState { state in
      guard case .open = state else { return false }
      do throws(SystemCall.Failure) {
        try drain(bytes)
        return true
      } catch {
        state =
          error.code == EPIPE
          ? .closed : .failed(FilesError(action: "write", call: error.call.rawValue, path: name, code: error.code))
        return false
      }
    }
  }

  /// Drops what is written from now on, also what C libraries write when they end the program.
  public func discard() {
    let null = unsafe Glibc.open("/dev/null", O_WRONLY | O_CLOEXEC)
    guard null >= 0 else { return }
    _ = dup2(null, descriptor)
    _ = Glibc.close(null)
  }

  /// The first failure that was not a reader gone away.
  public var failure: FilesError? {
    withState { state in
      if case .failed(let error) = state { error } else { nil }
    }
  }

  private var name: String { self == .output ? "standard output" : "standard error" }

  private func withState<R: Sendable>(_ body: (inout State) -> R) -> R {
    switch self {
    case .output: Self.outputState.withLock { body(&$0) }
    case .error: Self.errorState.withLock { body(&$0) }
    }
  }

  private func drain(_ bytes: [UInt8]) throws(SystemCall.Failure) {
    var written = 0
    while written < bytes.count {
      do {
        written += try unsafe bytes.span.withUnsafeBytes { (buffer) throws(SystemCall.Failure) in
          try unsafe SystemCall.write(descriptor, UnsafeRawBufferPointer(rebasing: buffer[written...]))
        }
      } catch {
        // A launcher may have made the pipe non-blocking.
        guard error.code == EAGAIN else { throw error }
        try SystemCall.pollWritable(descriptor)
      }
    }
  }
}
