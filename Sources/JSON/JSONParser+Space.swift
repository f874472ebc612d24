// What stands between the tokens, and how messages name what was found.
extension JSONParser {
  /// Skips white space and, in JSON5, comments.
  mutating func skipSpace() throws(JSONError) {
    while index < bytes.count {
      switch bytes[index] {
      case 0x20, 0x09: index += 1
      case 0x0A, 0x0D: skipLineEnd()
      case UInt8(ascii: "/"):
        guard peek(1) == UInt8(ascii: "/") || peek(1) == UInt8(ascii: "*") else { return }
        try skipComment()
      case 0x0B where dialect == .json5, 0x0C where dialect == .json5: index += 1
      case 0x80... where dialect == .json5:
        let (scalar, length) = try scalar(at: index)
        guard scalar.value == 0xFEFF || isJSON5Space(scalar) else { return }
        advance(over: length)
      default: return
      }
    }
  }

  /// Skips LF, CR or CR LF and counts the line; `index` is at one of them.
  mutating func skipLineEnd() {
    index += bytes[index] == 0x0D && peek(1) == 0x0A ? 2 : 1
    line += 1
    lineStart = index
    continuationBytes = 0
  }

  /// Steps over a scalar of `length` bytes.
  mutating func advance(over length: Int) {
    index += length
    continuationBytes += length - 1
  }

  /// Skips a comment; `index` is at its first two characters.
  private mutating func skipComment() throws(JSONError) {
    guard dialect == .json5 else { throw error("comments are not allowed in JSON") }
    let start = place
    let isLineComment = peek(1) == UInt8(ascii: "/")
    index += 2
    if isLineComment {
      while index < bytes.count, bytes[index] != 0x0A, bytes[index] != 0x0D {
        if bytes[index] < 0x80 {
          index += 1
        } else {
          let (scalar, length) = try scalar(at: index)
          advance(over: length)
          if scalar.value == 0x2028 || scalar.value == 0x2029 { return }
        }
      }
      return
    }
    while index < bytes.count {
      switch bytes[index] {
      case UInt8(ascii: "*") where peek(1) == UInt8(ascii: "/"):
        index += 2
        return
      case 0x0A, 0x0D: skipLineEnd()
      case 0x80...: advance(over: try scalar(at: index).length)
      default: index += 1
      }
    }
    throw error("this comment is not closed, expected '*/'", at: start)
  }

  /// The scalar whose UTF-8 begins at `start`, and its length in bytes.
  /// - Throws: `JSONError` where the bytes are not UTF-8: overlong forms, surrogates, beyond U+10FFFF, cut short.
  func scalar(at start: Int) throws(JSONError) -> (scalar: Unicode.Scalar, length: Int) {
    let first = bytes[start]
    let length: Int
    let least: UInt32
    var value: UInt32
    switch first {
    case 0..<0x80: return (Unicode.Scalar(first), 1)
    case 0xC2...0xDF: (length, least, value) = (2, 0x80, UInt32(first & 0x1F))
    case 0xE0...0xEF: (length, least, value) = (3, 0x800, UInt32(first & 0x0F))
    case 0xF0...0xF4: (length, least, value) = (4, 0x10000, UInt32(first & 0x07))
    default: throw badUTF8(at: start)
    }
    guard start + length <= bytes.count else { throw badUTF8(at: start) }
    for offset in 1..<length {
      let byte = bytes[start + offset]
      guard byte & 0xC0 == 0x80 else { throw badUTF8(at: start) }
      value = value << 6 | UInt32(byte & 0x3F)
    }
    guard value >= least, let scalar = Unicode.Scalar(value) else { throw badUTF8(at: start) }
    return (scalar, length)
  }

  private func badUTF8(at start: Int) -> JSONError {
    let digits = String(bytes[start], radix: 16, uppercase: true)
    return error(
      "the text is not UTF-8 at byte 0x\(digits.utf8.count == 1 ? "0" : "")\(digits)",
      at: Place(line: line, column: start - lineStart - continuationBytes + 1))
  }

  /// What stands at `index`, in words for a message.
  var found: String {
    guard let byte = current else { return "the end of the text" }
    switch byte {
    case 0x0A, 0x0D: return "the end of the line"
    case UInt8(ascii: "'"): return "a single quote"
    case 0x21..<0x7F: return "'\(Character(Unicode.Scalar(byte)))'"
    case 0x80...:
      guard let scalar = try? scalar(at: index).scalar else { return "a byte that is not UTF-8" }
      return scalar.properties.generalCategory == .format || scalar.properties.isWhitespace
        ? "the character U+\(String(scalar.value, radix: 16, uppercase: true))" : "'\(Character(scalar))'"
    default: return "the byte \(byte)"
    }
  }

  /// A key in quotes, cut to a length that a message can hold.
  func quoted(_ key: String) -> String {
    let shown = key.unicodeScalars.prefix(41)
    var text = "'"
    for scalar in shown.prefix(40) {
      text += scalar.value < 0x20 || scalar.value == 0x7F ? "?" : String(Character(scalar))
    }
    return text + (shown.count > 40 ? "...'" : "'")
  }

  func isASCIIWordByte(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "_"),
      UInt8(ascii: "$"), UInt8(ascii: "0")...UInt8(ascii: "9"):
      true
    default: false
    }
  }

  /// JSON5's `WhiteSpace` beyond ASCII: the two Unicode separators of lines and paragraphs, and category Zs.
  private func isJSON5Space(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.properties.generalCategory {
    case .spaceSeparator, .lineSeparator, .paragraphSeparator: true
    default: false
    }
  }
}
