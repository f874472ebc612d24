/// The last bytes of a stream, as many as were asked for.
struct ByteHistory {
  let capacity: Int
  /// How many bytes the stream has had.
  private(set) var end = 0
  /// Each byte at its place in the stream, modulo the capacity.
  private var bytes: [UInt8]

  init(capacity: Int) {
    self.capacity = capacity
    bytes = [UInt8](repeating: 0, count: capacity)
  }

  /// Takes the next bytes of the stream.
  mutating func append(_ next: Span<UInt8>) {
    var place = end % capacity
    var span = bytes.mutableSpan
    for index in 0..<next.count {
      span[place] = next[index]
      place = place + 1 == span.count ? 0 : place + 1
    }
    end += next.count
  }

  /// Copies bytes of the stream from `offset` on to the beginning of `copy`.
  func copy(from offset: Int, count: Int, into copy: inout MutableSpan<UInt8>) {
    precondition(offset >= end - capacity && offset + count <= end, "\(count) bytes from \(offset) on, of \(end)")
    let span = bytes.span
    var place = offset % capacity
    for index in 0..<count {
      copy[index] = span[place]
      place = place + 1 == capacity ? 0 : place + 1
    }
  }

  /// Forgets everything, for a stream that begins again.
  mutating func reset() { end = 0 }
}
