import CProcess
import Glibc

/// A way for bytes from a program that this one started.
public enum Pipe {
  /// The end to read from.
  public final class Reader {
    let descriptor: Int32

    fileprivate init(_ descriptor: Int32) { self.descriptor = descriptor }

    deinit { try? SystemCall.close(descriptor) }

    /// What has been written, at least a byte, waiting for it; nothing where all writers have ended.
    public func read() throws(FilesError) -> [UInt8] {
      let descriptor = self.descriptor
      return try naming("the output of a program", "read") { () throws(SystemCall.Failure) in
        try SystemCall.read(descriptor, atMost: 1 << 16)
      }
    }

    /// Waits until there is something to read, or the end, or `timeout` is over, or a signal is in `signals`.
    /// - Returns: whether there is something to read.
    public func wait(timeout: Duration, orFor signals: SignalQueue? = nil) throws(FilesError) -> Bool {
      let descriptors = [descriptor] + (signals.map { [$0.descriptor] } ?? [])
      return try naming("the output of a program", "wait for") { () throws(SystemCall.Failure) in
        try SystemCall.pollReadable(descriptors, milliseconds: timeout.milliseconds)[0]
      }
    }
  }

  /// The end that a program gets.
  final class Writer {
    private(set) var descriptor: Int32

    fileprivate init(_ descriptor: Int32) { self.descriptor = descriptor }

    deinit { close() }

    func close() {
      if descriptor >= 0 { try? SystemCall.close(descriptor) }
      descriptor = -1
    }
  }

  static func make() throws(FilesError) -> (Reader, Writer) {
    let (read, write) = try naming("a pipe", "make") { () throws(SystemCall.Failure) in try SystemCall.pipe() }
    return (Reader(read), Writer(write))
  }
}

extension Duration {
  /// As `poll(2)` wants it; rounded up, so that a wait never ends before its time.
  var milliseconds: Int32 { Int32(clamping: Int((self / .milliseconds(1)).rounded(.up))) }
}
