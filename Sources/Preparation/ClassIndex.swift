/// Finds the class that a field of the target names.
///
/// A class whose name is a number is met by every way of writing that number: `3`, `3.0` and `+3` are one class. Spaces
/// around a name do not count.
struct ClassIndex: Sendable {
  let names: [String]
  private var texts = ByteTable()
  private var numbers: [UInt64: Int32] = [:]
  private let parser = DecimalParser()

  init(names: [String]) {
    self.names = names
    for (index, name) in names.enumerated() {
      let bytes = Array(name.utf8)
      if let value = parser.double(bytes.span, 0..<bytes.count) {
        let key = Self.key(value)
        if numbers[key] == nil { numbers[key] = Int32(index) }
      }
      // Two equal names would shift the numbers that the table gives.
      var unique = bytes
      while texts.index(of: unique.span, 0..<unique.count) != nil { unique.append(0) }
      _ = texts.insert(unique.span, 0..<unique.count)
    }
  }

  /// The number of the class that a field names, or nil if it names none.
  func index(of field: CSVField, in block: CSVBlock) -> Int32? {
    if field.form == .escaped {
      let content = block.content(field)
      return index(of: content.span, 0..<content.count)
    }
    return index(of: block.bytes.span, field.range)
  }

  /// The number of the class that a number stands for, or nil if it is none.
  func index(of value: Double) -> Int32? { numbers[Self.key(value)] }

  /// The number of the class that a text names, or nil if it names none.
  func index(of text: String) -> Int32? {
    let bytes = Array(text.utf8)
    return index(of: bytes.span, 0..<bytes.count)
  }

  /// The number of the class that a text in `bytes` names, or nil if it names none.
  func index(of bytes: Span<UInt8>, _ range: Range<Int>) -> Int32? {
    if let value = parser.double(bytes, range), let index = index(ofKey: Self.key(value)) { return index }
    return index(ofText: bytes, MissingValue.trimmed(bytes, range))
  }

  /// The number of the class that a number with this key names.
  func index(ofKey key: UInt64) -> Int32? { numbers[key] }

  /// The number of the class that a text without spaces around it names.
  func index(ofText bytes: Span<UInt8>, _ range: Range<Int>) -> Int32? {
    texts.index(of: bytes, range).map { Int32($0) }
  }

  /// One key for each number: the two zeros are one.
  static func key(_ value: Double) -> UInt64 { value == 0 ? 0 : value.bitPattern }

  /// The name of the class that a number stands for: whole numbers without a point.
  static func name(_ value: Double) -> String {
    if let whole = Int(exactly: value), whole.magnitude <= 1 << 53 { return "\(whole)" }
    return "\(value)"
  }
}
