import CZlib

/// Inflates one zlib stream (RFC 1950) after the other whose sizes are known: no buffer grows, and the state is made once.
@safe struct Inflater: ~Copyable {
  /// On the heap, since zlib's state points back to it. Nil before the first stream.
  private var stream: UnsafeMutablePointer<z_stream>?

  init() { unsafe stream = nil }

  deinit {
    guard let stream = unsafe stream else { return }
    unsafe inflateEnd(stream)
    unsafe stream.deallocate()
  }

  /// Whether `source` was one whole stream that has filled `destination`.
  mutating func inflate(
    _ source: UnsafeRawBufferPointer, into destination: UnsafeMutableRawBufferPointer
  ) -> Bool {
    guard let stream = unsafe ready(), let room = UInt32(exactly: destination.count),
      let length = UInt32(exactly: source.count), let from = source.baseAddress, let to = destination.baseAddress
    else { return false }
    // The library does not write there.
    unsafe stream.pointee.next_in = UnsafeMutablePointer(mutating: from.assumingMemoryBound(to: UInt8.self))
    unsafe stream.pointee.avail_in = length
    unsafe stream.pointee.next_out = to.assumingMemoryBound(to: UInt8.self)
    unsafe stream.pointee.avail_out = room
    return unsafe CZlib.inflate(stream, Z_FINISH) == Z_STREAM_END && stream.pointee.avail_out == 0
      && stream.pointee.avail_in == 0
  }

  /// The state, ready for a new stream; nil where there is no memory.
  private mutating func ready() -> UnsafeMutablePointer<z_stream>? {
    if let stream = unsafe stream { return unsafe inflateReset(stream) == Z_OK ? stream : nil }
    let made = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
    unsafe made.initialize(to: z_stream())
    guard unsafe czlib_inflate_init(made) == Z_OK else {
      unsafe made.deallocate()
      return nil
    }
    unsafe stream = made
    return unsafe made
  }
}
