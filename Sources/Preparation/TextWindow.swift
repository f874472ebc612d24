/// The bytes of a file from one place on, as many as a block needs.
struct TextWindow: ~Copyable {
  let source: CSVSource
  /// What is read of the file, and a few zeros behind it: whoever reads on meets neither a digit nor a delimiter.
  private(set) var bytes: [UInt8] = []
  /// How many of the bytes are the file's.
  private(set) var filled = 0
  /// Where the first byte stands in the file.
  private(set) var offset = 0
  /// The file ends behind the last of the bytes.
  private(set) var isAtEnd = false
  /// How many bytes have been read from the file.
  private(set) var bytesRead = 0

  /// Enough for two 64-bit words.
  static let padding = 16

  init(_ source: consuming CSVSource) {
    self.source = source
  }

  /// Goes to the byte `offset` of the file and reads `count` bytes, or all there are.
  mutating func move(to offset: Int, count: Int) throws(PreparationError) {
    self.offset = offset
    filled = 0
    isAtEnd = false
    try fill(count)
  }

  /// Reads on until there are `count` bytes, or all there are.
  mutating func fill(_ count: Int) throws(PreparationError) {
    if bytes.count < count + Self.padding {
      var larger = [UInt8](repeating: 0, count: count + Self.padding)
      larger.replaceSubrange(0..<filled, with: bytes[..<filled])
      bytes = larger
    }
    while filled < count, !isAtEnd {
      let read = try source.read(at: offset + filled, into: &bytes, from: filled, count: count - filled)
      filled += read
      bytesRead += read
      if read == 0 { isAtEnd = true }
    }
    for index in filled..<filled + Self.padding { bytes[index] = 0 }
  }

  /// Lends the bytes to a block.
  mutating func swapBytes(with other: inout [UInt8]) { swap(&bytes, &other) }
}
