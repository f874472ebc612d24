import CProcess
import Glibc

// Processes, pipes and signals.
extension SystemCall {
  /// Starts a program; `plan` says how.
  static func spawn(_ plan: cprocess_plan) throws(Failure) -> pid_t {
    try made(.spawn) { unsafe withUnsafePointer(to: plan) { unsafe cprocess_spawn($0) } }
  }

  /// The status of a child that has ended; nil while it runs, unless `blocks`.
  static func waitpid(_ process: pid_t, blocks: Bool) throws(Failure) -> Int32? {
    var status: Int32 = 0
    let ended = try made(.waitpid) { unsafe Glibc.waitpid(process, &status, blocks ? 0 : WNOHANG) }
    return ended == 0 ? nil : status
  }

  static func kill(_ process: pid_t, _ signal: Int32) throws(Failure) {
    _ = try made(.kill) { Glibc.kill(process, signal) }
  }

  /// The ends of a new pipe, neither of which a child inherits.
  static func pipe() throws(Failure) -> (read: Int32, write: Int32) {
    var ends: [Int32] = [-1, -1]
    _ = try made(.pipe) { unsafe pipe2(&ends, O_CLOEXEC) }
    return (ends[0], ends[1])
  }

  /// What there is to read, at least a byte; nothing at the end.
  static func read(_ descriptor: Int32, atMost count: Int) throws(Failure) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: count)
    var span = bytes.mutableSpan
    let filled = try unsafe span.withUnsafeMutableBytes { (buffer) throws(Failure) in
      let base = buffer.baseAddress
      return try moved(.read, count) { count in unsafe Glibc.read(descriptor, base, count) }
    }
    bytes.removeSubrange(filled...)
    return bytes
  }

  /// Waits until something can be read from one of `descriptors`, or `milliseconds` are over; returns for each whether it can.
  static func pollReadable(_ descriptors: [Int32], milliseconds: Int32) throws(Failure) -> [Bool] {
    var wanted = descriptors.map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
    _ = try made(.poll) { unsafe Glibc.poll(&wanted, nfds_t(wanted.count), milliseconds) }
    return wanted.map { $0.revents != 0 }
  }

  static func queueSignals(_ numbers: [Int32]) throws(Failure) -> Int32 {
    try made(.signalfd) { unsafe cprocess_queue_signals(numbers, Int32(numbers.count)) }
  }

  /// Where a symbolic link points.
  static func readlink(_ path: String) throws(Failure) -> String {
    try pathIsWhole(path, .readlink)
    var bytes = [UInt8](repeating: 0, count: Int(PATH_MAX))
    var span = bytes.mutableSpan
    let count = try unsafe span.withUnsafeMutableBytes { (buffer) throws(Failure) in
      let base = buffer.baseAddress
      let size = buffer.count
      return try made(.readlink) {
        guard let base = unsafe base?.assumingMemoryBound(to: CChar.self) else { return 0 }
        return unsafe Glibc.readlink(path, base, size)
      }
    }
    bytes.removeSubrange(count...)
    return String(decoding: bytes, as: UTF8.self)
  }
}
