import CProcess
import Glibc

/// Wakes a thread that waits for streams: what another thread has for it counts as something to read in `stream`.
///
/// Ringing twice is ringing once. For two threads, one that rings and one that waits.
public final class Bell: Sendable {
  /// To wait for, beside others; never to be read.
  public let stream: ByteStream
  private let descriptor: Int32
  private let isRung = Monitor(false)

  public init() throws(FilesError) {
    let (read, write) = try naming("a pipe", "make") { () throws(SystemCall.Failure) in try SystemCall.pipe() }
    stream = ByteStream("a bell", read, isOwned: true)
    descriptor = write
  }

  deinit { try? SystemCall.close(descriptor) }

  public func ring() {
    isRung.withLock { isRung in
      guard !isRung else { return }
      // A pipe that holds nothing takes a byte.
      isRung = unsafe withUnsafeBytes(of: UInt8(1)) { byte in (try? unsafe SystemCall.write(descriptor, byte)) == 1 }
    }
  }

  /// Ends the ringing; then look for what there is.
  public func silence() {
    isRung.withLock { isRung in
      guard isRung else { return }
      _ = try? stream.read(atMost: 1)
      isRung = false
    }
  }
}
