/// Numbers as text that keeps every bit, also of infinities and NaNs: so many hexadecimal digits a number, the highest
/// first, without gaps.
enum BitText {
  static func text(_ values: [Double]) -> String { text(values.map(\.bitPattern)) }

  static func text(_ values: [Float]) -> String { text(values.map(\.bitPattern)) }

  /// The numbers of a text of `text`; nil where it is no such text.
  static func doubles(_ text: String) -> [Double]? { words(text, UInt64.self)?.map { Double(bitPattern: $0) } }

  static func floats(_ text: String) -> [Float]? { words(text, UInt32.self)?.map { Float(bitPattern: $0) } }

  private static func text<Word: FixedWidthInteger>(_ words: [Word]) -> String {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(words.count * Word.bitWidth / 4)
    for word in words {
      var shift = Word.bitWidth
      while shift > 0 {
        shift -= 4
        let digit = UInt8(truncatingIfNeeded: word >> Word(shift)) & 15
        bytes.append(digit + (digit < 10 ? UInt8(ascii: "0") : UInt8(ascii: "a") - 10))
      }
    }
    return String(decoding: bytes, as: UTF8.self)
  }

  private static func words<Word: FixedWidthInteger>(_ text: String, _: Word.Type) -> [Word]? {
    let digits = Word.bitWidth / 4
    guard text.utf8.count.isMultiple(of: digits) else { return nil }
    var words: [Word] = []
    words.reserveCapacity(text.utf8.count / digits)
    var word: Word = 0
    var count = 0
    for byte in text.utf8 {
      switch byte {
      case UInt8(ascii: "0")...UInt8(ascii: "9"): word = word << 4 | Word(byte - UInt8(ascii: "0"))
      case UInt8(ascii: "a")...UInt8(ascii: "f"): word = word << 4 | Word(byte - UInt8(ascii: "a") + 10)
      default: return nil
      }
      count += 1
      if count == digits {
        words.append(word)
        (word, count) = (0, 0)
      }
    }
    return words
  }
}
