/// Puts values behind each other as bytes, for the ranks of one run to send to each other: no format for files.
struct ByteWriter {
  private(set) var bytes: [UInt8] = []

  mutating func write(_ value: Int) {
    var rest = UInt64(bitPattern: Int64(value))
    for _ in 0..<8 {
      bytes.append(UInt8(truncatingIfNeeded: rest))
      rest >>= 8
    }
  }

  mutating func write(_ value: Bool) { bytes.append(value ? 1 : 0) }
  mutating func write(_ value: Double) { write(Int(Int64(bitPattern: value.bitPattern))) }

  mutating func write(_ value: String) {
    write(value.utf8.count)
    bytes.append(contentsOf: value.utf8)
  }

  mutating func write(_ value: String?) { write(optional: value) { $0.write($1) } }
  mutating func write(_ value: Int?) { write(optional: value) { $0.write($1) } }

  mutating func write<Value>(optional value: Value?, _ body: (inout ByteWriter, Value) -> Void) {
    write(value != nil)
    if let value { body(&self, value) }
  }

  mutating func write<Value>(list values: [Value], _ body: (inout ByteWriter, Value) -> Void) {
    write(values.count)
    for value in values { body(&self, value) }
  }
}

/// Takes values from bytes that `ByteWriter` made.
struct ByteReader {
  static let damaged = DataError(.invalid, "a message between ranks is damaged")

  private let bytes: [UInt8]
  private var position = 0

  init(_ bytes: [UInt8]) { self.bytes = bytes }

  /// Throws unless everything has been read.
  func finish() throws(DataError) {
    guard position == bytes.count else { throw Self.damaged }
  }

  mutating func readInt() throws(DataError) -> Int {
    guard bytes.count - position >= 8 else { throw Self.damaged }
    var value: UInt64 = 0
    for index in 0..<8 { value |= UInt64(bytes[position + index]) << (8 * UInt64(index)) }
    position += 8
    return Int(Int64(bitPattern: value))
  }

  mutating func readBool() throws(DataError) -> Bool {
    guard position < bytes.count else { throw Self.damaged }
    defer { position += 1 }
    return bytes[position] != 0
  }

  mutating func readDouble() throws(DataError) -> Double {
    Double(bitPattern: UInt64(bitPattern: Int64(try readInt())))
  }

  mutating func readString() throws(DataError) -> String {
    let count = try readInt()
    guard count >= 0, count <= bytes.count - position else { throw Self.damaged }
    defer { position += count }
    return String(decoding: bytes[position..<position + count], as: UTF8.self)
  }

  mutating func readOptional<Value>(
    _ body: (inout ByteReader) throws(DataError) -> Value
  ) throws(DataError) -> Value? {
    try readBool() ? try body(&self) : nil
  }

  mutating func readList<Value>(_ body: (inout ByteReader) throws(DataError) -> Value) throws(DataError) -> [Value] {
    let count = try readInt()
    // Every value takes a byte at least, so that a damaged count asks for no memory.
    guard count >= 0, count <= bytes.count - position else { throw Self.damaged }
    var values: [Value] = []
    values.reserveCapacity(count)
    for _ in 0..<count { values.append(try body(&self)) }
    return values
  }
}
