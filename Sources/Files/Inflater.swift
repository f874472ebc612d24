internal import CZlib

/// The state of decompressing one gzip member.
///
/// A class, because zlib's state must not move.
@safe final class Inflater {
  enum State {
    /// More input or more room is wanted.
    case going
    /// The member is complete and its checksum right.
    case ended
  }

  /// What zlib found wrong with its input, in its words.
  struct Damage: Error {
    let reason: String
  }

  private let stream: UnsafeMutablePointer<z_stream>

  init() throws(Damage) {
    unsafe stream = .allocate(capacity: 1)
    unsafe stream.initialize(to: z_stream())
    guard unsafe czlib_inflate_init_gzip(stream) == Z_OK else { throw Damage(reason: "not enough memory for zlib") }
  }

  deinit {
    unsafe inflateEnd(stream)
    unsafe stream.deallocate()
  }

  /// Begins a new member.
  func reset() {
    let code = unsafe inflateReset(stream)
    precondition(code == Z_OK, "inflateReset gave \(code)")
  }

  /// Decompresses the bytes `range` of `input` into `output` from `start` on, as much as there is and fits.
  /// - Returns: how many bytes were taken and made.
  /// - Throws: `Damage` if the input is no gzip member or its checksum is wrong.
  /// Corresponds to `inflate` (zlib.h).
  func inflate(
    _ input: [UInt8], _ range: Range<Int>, into output: inout MutableSpan<UInt8>, from start: Int
  ) throws(Damage) -> (consumed: Int, produced: Int, state: State) {
    // zlib counts in 32 bits.
    let available = (min(range.count, 1 << 30), min(output.count - start, 1 << 30))
    let code = unsafe input.withUnsafeBufferPointer { input in
      unsafe output.withUnsafeMutableBufferPointer { output in
        unsafe stream.pointee.next_in = UnsafeMutablePointer(
          mutating: input.baseAddress?.advanced(by: range.lowerBound))
        unsafe stream.pointee.avail_in = UInt32(available.0)
        unsafe stream.pointee.next_out = output.baseAddress?.advanced(by: start)
        unsafe stream.pointee.avail_out = UInt32(available.1)
        return unsafe CZlib.inflate(stream, Z_NO_FLUSH)
      }
    }
    let consumed = available.0 - Int(unsafe stream.pointee.avail_in)
    let produced = available.1 - Int(unsafe stream.pointee.avail_out)
    switch code {
    case Z_OK, Z_BUF_ERROR: return (consumed, produced, .going)
    case Z_STREAM_END: return (consumed, produced, .ended)
    default:
      let reason = unsafe stream.pointee.msg.map { unsafe String(cString: $0) }
      throw Damage(reason: reason ?? "zlib's error \(code)")
    }
  }
}
