import CProcess
import Glibc
import Synchronization

/// The sole right to a file or what it stands for, held until `release()`, the end of the value or of the process,
/// however the process ends: no stale lock is left behind.
///
/// Call `release()` where the right ends: Swift may end the life of a value at its last use, which for a lock that is
/// only held would be its making.
///
/// The file at `path` is created if need be, names its holder, and stays.
/// Corresponds to `flock(2)`.
public final class FileLock: Sendable {
  public let path: String
  /// Negative once the lock is given back.
  private let descriptor: Mutex<Int32>

  private static let look = Duration.milliseconds(20)

  /// Takes the lock.
  /// - Parameter patience: how long to wait for a holder that may be about to end.
  /// - Throws: `FilesError` of kind `locked` if another process, or this one, holds it all that time; the note says who.
  public init(_ path: String, patience: Duration = .zero) throws(FilesError) {
    let descriptor = try naming(path, "lock") { () throws(SystemCall.Failure) in
      try SystemCall.open(path, O_RDWR | O_CREAT)
    }
    do {
      try Self.lock(descriptor, until: .now + patience)
    } catch {
      try? SystemCall.close(descriptor)
      let holder = error.code == EWOULDBLOCK ? Self.holder(of: path) : nil
      throw FilesError(action: "lock", call: error.call.rawValue, path: path, code: error.code, note: holder)
    }
    self.path = path
    self.descriptor = Mutex(descriptor)
    // Only for people: the lock holds without it.
    try? Self.sign(descriptor)
  }

  deinit { release() }

  /// Gives the lock back; a second call does nothing.
  public func release() {
    descriptor.withLock { descriptor in
      guard descriptor >= 0 else { return }
      // Closing the only descriptor of the open file ends the lock.
      try? SystemCall.close(descriptor)
      descriptor = -1
    }
  }

  private static func lock(_ descriptor: Int32, until end: ContinuousClock.Instant) throws(SystemCall.Failure) {
    while true {
      do {
        return try SystemCall.flock(descriptor, LOCK_EX | LOCK_NB)
      } catch {
        guard error.code == EWOULDBLOCK, ContinuousClock.now < end else { throw error }
      }
      usleep(UInt32(look / .microseconds(1)))
    }
  }

  private static func sign(_ descriptor: Int32) throws(SystemCall.Failure) {
    let text = Array("process \(Machine.processIdentifier) on \(Machine.hostName)\n".utf8)
    try SystemCall.ftruncate(descriptor, 0)
    _ = try unsafe text.span.withUnsafeBytes { (buffer) throws(SystemCall.Failure) in
      try unsafe SystemCall.write(descriptor, buffer)
    }
  }

  private static func holder(of path: String) -> String? {
    guard let bytes = try? FileSystem.read(path, limit: 1_000) else { return nil }
    let line = String(decoding: bytes.prefix { $0 != 0x0A }, as: UTF8.self)
    return line.isEmpty ? nil : "held by \(line)"
  }
}
