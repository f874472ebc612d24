/// Where the bytes of a table come from.
enum CSVSource: ~Copyable {
  case bytes([UInt8])

  /// Reads bytes from `offset` on into `buffer` from `start` on; zero at the end.
  borrowing func read(at offset: Int, into buffer: inout [UInt8], from start: Int, path: String)
    throws(PreparationError) -> Int
  {
    switch self {
    case .bytes(let bytes):
      let count = min(bytes.count - offset, buffer.count - start)
      for index in 0..<count { buffer[start + index] = bytes[offset + index] }
      return count
    }
  }
}
