/// Takes values from bytes that `ByteWriter` made.
public struct ByteReader {
  public static let damaged = DataError(.invalid, "a message between ranks is damaged")

  private let bytes: [UInt8]
  private var position = 0

  public init(_ bytes: [UInt8]) { self.bytes = bytes }

  /// Throws unless everything has been read.
  public func finish() throws(DataError) {
    guard position == bytes.count else { throw Self.damaged }
  }

  public mutating func readInt() throws(DataError) -> Int {
    guard bytes.count - position >= 8 else { throw Self.damaged }
    var value: UInt64 = 0
    for index in 0..<8 { value |= UInt64(bytes[position + index]) << (8 * UInt64(index)) }
    position += 8
    return Int(Int64(bitPattern: value))
  }

  public mutating func readBool() throws(DataError) -> Bool {
    guard position < bytes.count else { throw Self.damaged }
    defer { position += 1 }
    return bytes[position] != 0
  }

  public mutating func readDouble() throws(DataError) -> Double {
    Double(bitPattern: UInt64(bitPattern: Int64(try readInt())))
  }

  /// Whether everything has been read.
  public var isAtEnd: Bool { position == bytes.count }

  public mutating func readString() throws(DataError) -> String { String(decoding: try readBytes(), as: UTF8.self) }

  public mutating func readBytes() throws(DataError) -> [UInt8] {
    let count = try readInt()
    guard count >= 0, count <= bytes.count - position else { throw Self.damaged }
    defer { position += count }
    return Array(bytes[position..<position + count])
  }

  public mutating func readOptional<Value>(
    _ body: (inout ByteReader) throws(DataError) -> Value
  ) throws(DataError) -> Value? {
    try readBool() ? try body(&self) : nil
  }

  public mutating func readList<Value>(_ body: (inout ByteReader) throws(DataError) -> Value) throws(DataError)
    -> [Value]
  {
    let count = try readInt()
    // Every value takes a byte at least, so that a damaged count asks for no memory.
    guard count >= 0, count <= bytes.count - position else { throw Self.damaged }
    var values: [Value] = []
    values.reserveCapacity(count)
    for _ in 0..<count { values.append(try body(&self)) }
    return values
  }
}
