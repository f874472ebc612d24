extension Span where Element == UInt8 {
  /// The eight bytes from `index` on as one number, the first of them lowest.
  @inlinable @inline(__always) public func littleEndianWord(at index: Int) -> UInt64 {
    precondition(index >= 0 && index <= count - 8, "no eight bytes there")
    let word = unsafe bytes.unsafeLoadUnaligned(fromByteOffset: index, as: UInt64.self)
    return UInt64(littleEndian: word)
  }
}
