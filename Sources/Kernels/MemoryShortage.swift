import Glibc
import Synchronization

/// What becomes of a program that gets no memory for a buffer, where no plan has foreseen it.
public enum MemoryShortage {
  private static let ending = Mutex<(@Sendable (_ bytes: Int) -> Void)?>(nil)

  /// From now on `body` is told the bytes that were wanted at once, and ends the program.
  public static func ends(with body: @escaping @Sendable (_ bytes: Int) -> Void) {
    ending.withLock { $0 = body }
  }

  /// Ends the program.
  static func raise(_ bytes: Int) -> Never {
    ending.withLock { $0 }?(bytes)
    // A trap of a release build prints nothing, so the message goes first.
    let message = Array("apus: not enough memory: \(bytes) bytes wanted for one buffer\n".utf8)
    _ = unsafe message.withUnsafeBytes { unsafe write(STDERR_FILENO, $0.baseAddress, $0.count) }
    preconditionFailure("no memory for \(bytes) bytes")
  }
}
