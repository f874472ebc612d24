import CProcess
import Glibc

/// Bytes that come when their writer likes: standard input, or a named pipe.
///
/// Reading never waits; `wait` does, for several at once.
public final class ByteStream: Sendable {
  public let path: String
  private let descriptor: Int32
  private let isOwned: Bool

  init(_ path: String, _ descriptor: Int32, isOwned: Bool) {
    self.path = path
    self.descriptor = descriptor
    self.isOwned = isOwned
  }

  deinit { if isOwned { try? SystemCall.close(descriptor) } }

  public static var standardInput: ByteStream { ByteStream("standard input", STDIN_FILENO, isOwned: false) }

  /// Opens a named pipe, also one that nobody has opened for writing yet.
  public static func open(_ path: String) throws(FilesError) -> ByteStream {
    let descriptor = try naming(path, "open") { () throws(SystemCall.Failure) in
      try SystemCall.open(path, O_RDONLY | O_NONBLOCK)
    }
    return ByteStream(path, descriptor, isOwned: true)
  }

  /// What there is, at most `count` bytes; nil where there is nothing yet, and no bytes where nothing comes any more.
  public func read(atMost count: Int) throws(FilesError) -> [UInt8]? {
    let descriptor = self.descriptor
    return try naming(path, "read") { () throws(SystemCall.Failure) -> [UInt8]? in
      // A pipe that had no writer yet reads as ended, but is not ready to be read.
      guard try SystemCall.pollReadable([descriptor], milliseconds: 0)[0] else { return nil }
      do throws(SystemCall.Failure) {
        return try SystemCall.read(descriptor, atMost: count)
      } catch {
        // Somebody else who has the other end of standard input may have made it non-blocking.
        guard error.code == EAGAIN else { throw error }
        return nil
      }
    }
  }

  /// Waits until there is something to read in one of `streams`, or the end of one, or `timeout` is over. A signal does not end it.
  public static func wait(for streams: [ByteStream], atMost timeout: Duration) throws(FilesError) {
    let descriptors = streams.map(\.descriptor)
    _ = try naming("the sources", "wait for") { () throws(SystemCall.Failure) in
      try SystemCall.pollReadable(descriptors, milliseconds: timeout.milliseconds)
    }
  }
}
