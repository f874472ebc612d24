// Strings in quotes, and JSON5's keys without.
extension JSONParser {
  /// A string; `index` is at its opening quote, which also closes it.
  mutating func string() throws(JSONError) -> String {
    let opening = place
    let quote = bytes[index]
    index += 1
    // What has no escape is copied in one piece; a string without any needs no buffer of its own.
    var pieces: [UInt8] = []
    var start = index
    while index < bytes.count {
      let byte = bytes[index]
      switch byte {
      case quote:
        let rest = bytes[start..<index]
        index += 1
        if pieces.isEmpty { return String(decoding: rest, as: UTF8.self) }
        pieces.append(contentsOf: rest)
        return String(decoding: pieces, as: UTF8.self)
      case UInt8(ascii: "\\"):
        pieces.append(contentsOf: bytes[start..<index])
        try escape(into: &pieces)
        start = index
      case 0x0A, 0x0D:
        throw error("the string that begins in column \(opening.column) is not closed before the end of the line")
      case 0..<0x20 where dialect == .json:
        throw error("a control character in a string has to be written as an escape, not as the byte \(byte)")
      case 0x80...: advance(over: try scalar(at: index).length)
      default: index += 1
      }
    }
    throw error("this string is not closed", at: opening)
  }

  /// Appends what an escape stands for; `index` is at its backslash.
  private mutating func escape(into pieces: inout [UInt8]) throws(JSONError) {
    let start = place
    guard let letter = peek(1) else { throw error("expected an escape after '\\', not the end of the text") }
    index += 2
    switch letter {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): pieces.append(letter)
    case UInt8(ascii: "b"): pieces.append(0x08)
    case UInt8(ascii: "f"): pieces.append(0x0C)
    case UInt8(ascii: "n"): pieces.append(0x0A)
    case UInt8(ascii: "r"): pieces.append(0x0D)
    case UInt8(ascii: "t"): pieces.append(0x09)
    case UInt8(ascii: "u"): append(try escapedScalar(from: start), to: &pieces)
    default:
      index -= 1
      guard dialect == .json5 else { throw error("unknown escape: '\\' before \(found)", at: start) }
      try escapeOfJSON5(letter, from: start, into: &pieces)
    }
  }

  /// The escapes that only JSON5 has; `index` is behind the backslash.
  private mutating func escapeOfJSON5(
    _ letter: UInt8, from start: Place, into pieces: inout [UInt8]
  ) throws(JSONError) {
    switch letter {
    case 0x0A, 0x0D: skipLineEnd()
    case UInt8(ascii: "v"):
      index += 1
      pieces.append(0x0B)
    case UInt8(ascii: "0"):
      index += 1
      if let next = current, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(next) {
        throw error("octal escapes are not allowed", at: start)
      }
      pieces.append(0)
    case UInt8(ascii: "1")...UInt8(ascii: "9"): throw error("octal escapes are not allowed", at: start)
    case UInt8(ascii: "x"):
      index += 1
      let value = try hexadecimal(digits: 2, after: "\\x", from: start)
      // Two hexadecimal digits name U+0000 to U+00FF, all of them scalars.
      append(Unicode.Scalar(UInt8(truncatingIfNeeded: value)), to: &pieces)
    default:
      let (scalar, length) = try scalar(at: index)
      // Behind a backslash the two Unicode line ends continue the line as a line feed does.
      if scalar.value != 0x2028, scalar.value != 0x2029 {
        pieces.append(contentsOf: bytes[index..<index + length])
      }
      advance(over: length)
    }
  }

  /// The scalar of `\uXXXX` or of a pair of surrogates; `index` is behind the first `\u`.
  private mutating func escapedScalar(from start: Place) throws(JSONError) -> Unicode.Scalar {
    let first = try hexadecimal(digits: 4, after: "\\u", from: start)
    if let scalar = Unicode.Scalar(first) { return scalar }
    guard first < 0xDC00, current == UInt8(ascii: "\\"), peek(1) == UInt8(ascii: "u") else {
      throw error("a surrogate without its other half is not a character", at: start)
    }
    index += 2
    let second = try hexadecimal(digits: 4, after: "\\u", from: start)
    guard (0xDC00..<0xE000).contains(second),
      let scalar = Unicode.Scalar(0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00))
    else { throw error("a surrogate without its other half is not a character", at: start) }
    return scalar
  }

  private func append(_ scalar: Unicode.Scalar, to bytes: inout [UInt8]) {
    bytes.append(contentsOf: UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter)
  }

  private mutating func hexadecimal(digits: Int, after prefix: String, from start: Place) throws(JSONError) -> UInt32 {
    var value: UInt32 = 0
    for _ in 0..<digits {
      guard let byte = current, let digit = hexadecimalDigit(byte) else {
        throw error("expected \(digits) hexadecimal digits after '\(prefix)'", at: start)
      }
      value = value << 4 | UInt32(digit)
      index += 1
    }
    return value
  }

  /// The value of a hexadecimal digit, nil for any other byte.
  func hexadecimalDigit(_ byte: UInt8) -> Int? {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): Int(byte - UInt8(ascii: "0"))
    case UInt8(ascii: "a")...UInt8(ascii: "f"): Int(byte - UInt8(ascii: "a")) + 10
    case UInt8(ascii: "A")...UInt8(ascii: "F"): Int(byte - UInt8(ascii: "A")) + 10
    default: nil
    }
  }

  /// A key without quotes: an ECMAScript 5.1 `IdentifierName` (section 7.6).
  mutating func identifier() throws(JSONError) -> String {
    let start = index
    while index < bytes.count, isASCIIWordByte(bytes[index]) { index += 1 }
    let startsWithDigit = start < index && (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(bytes[start])
    if startsWithDigit {
      index = start
      throw error("a key that begins with a digit takes quotes")
    }
    var name = Array(bytes[start..<index])
    // Letters beyond ASCII and escapes are rare: only from the first of them on is each scalar looked at.
    while let byte = current {
      guard name.count <= 1_000 else { throw error("a key of more than 1,000 bytes takes quotes") }
      let here = place
      let scalar: Unicode.Scalar
      if byte == UInt8(ascii: "\\") {
        guard peek(1) == UInt8(ascii: "u") else { throw error("a key without quotes takes no escape but '\\u'") }
        index += 2
        scalar = try escapedScalar(from: here)
        guard isIdentifierScalar(scalar, first: name.isEmpty) else {
          throw error("a key without quotes cannot hold this character", at: here)
        }
      } else if isASCIIWordByte(byte) {
        scalar = Unicode.Scalar(byte)
        index += 1
      } else if byte >= 0x80 {
        let (decoded, length) = try self.scalar(at: index)
        guard isIdentifierScalar(decoded, first: name.isEmpty) else { break }
        scalar = decoded
        advance(over: length)
      } else {
        break
      }
      append(scalar, to: &name)
    }
    guard !name.isEmpty else { throw error("expected a key or '}', not \(found)") }
    return String(decoding: name, as: UTF8.self)
  }

  private func isIdentifierScalar(_ scalar: Unicode.Scalar, first: Bool) -> Bool {
    switch scalar.properties.generalCategory {
    case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter, .letterNumber: true
    case .nonspacingMark, .spacingMark, .decimalNumber, .connectorPunctuation: !first || scalar == "_"
    default: scalar == "$" || (!first && (scalar.value == 0x200C || scalar.value == 0x200D))
    }
  }
}
