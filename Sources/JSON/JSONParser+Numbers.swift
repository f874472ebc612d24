extension JSONParser {
  /// No number needs more characters than this; a longer one is an attack on the conversion.
  private static var longestNumber: Int { 1_000 }

  /// A number; `index` is at its sign, digit or decimal point.
  mutating func number() throws(JSONError) -> JSONValue {
    let place = self.place
    let start = index
    let negative = current == UInt8(ascii: "-")
    if negative {
      index += 1
    } else if current == UInt8(ascii: "+") {
      guard dialect == .json5 else { throw error("a number cannot begin with '+'") }
      index += 1
    }
    if dialect == .json5 {
      if let value = try constant(negative: negative) { return value }
      if current == UInt8(ascii: "0"), peek(1) == UInt8(ascii: "x") || peek(1) == UInt8(ascii: "X") {
        return try hexadecimalNumber(negative: negative, from: place)
      }
    }

    let whole = digits()
    if whole > 1, bytes[index - whole] == UInt8(ascii: "0") {
      throw error("a number cannot begin with a zero before other digits", at: place)
    }
    var isInteger = true
    var fraction = 0
    if current == UInt8(ascii: ".") {
      isInteger = false
      index += 1
      fraction = digits()
      if dialect == .json, whole == 0 || fraction == 0 {
        throw error("a decimal point takes a digit before and behind it", at: place)
      }
    }
    guard whole + fraction > 0 else { throw error("expected a digit, not \(found)") }
    if current == UInt8(ascii: "e") || current == UInt8(ascii: "E") {
      isInteger = false
      index += 1
      if current == UInt8(ascii: "+") || current == UInt8(ascii: "-") { index += 1 }
      guard digits() > 0 else { throw error("expected a digit of the exponent, not \(found)") }
    }
    try endOfNumber(from: start, at: place)

    let text = String(decoding: bytes[start..<index], as: UTF8.self)
    if isInteger, let integer = Int(text), integer != 0 || !negative { return .integer(integer) }
    return .number(try double(decimal: text, at: place))
  }

  /// Steps over decimal digits and tells how many.
  private mutating func digits() -> Int {
    let start = index
    while index < bytes.count, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(bytes[index]) { index += 1 }
    return index - start
  }

  private func endOfNumber(from start: Int, at place: Place) throws(JSONError) {
    guard index - start <= Self.longestNumber else {
      throw error("a number of \(index - start) characters; the limit is \(Self.longestNumber)", at: place)
    }
    if let byte = current, isASCIIWordByte(byte) || byte == UInt8(ascii: ".") {
      throw error("expected the end of the number, not \(found)")
    }
  }

  /// The nearest double of a decimal that the grammar has accepted; what is too small is zero.
  private func double(decimal text: String, at place: Place) throws(JSONError) -> Double {
    guard let value = Double(text) else { throw error("the number cannot be read", at: place) }
    guard value.isFinite else { throw error("the number is too large for a double", at: place) }
    return value
  }

  /// `Infinity` or `NaN` behind a sign.
  private mutating func constant(negative: Bool) throws(JSONError) -> JSONValue? {
    for (word, value) in [("Infinity", Double.infinity), ("NaN", Double.nan)]
    where bytes[index...].starts(with: word.utf8) {
      index += word.utf8.count
      if let byte = current, isASCIIWordByte(byte) { throw error("expected the end of the number, not \(found)") }
      return .number(negative ? -value : value)
    }
    return nil
  }

  private mutating func hexadecimalNumber(negative: Bool, from place: Place) throws(JSONError) -> JSONValue {
    index += 2
    let start = index
    // Exact as long as it fits an `Int`, the nearest double (by `Double`'s own reading of hexadecimal) beyond.
    var magnitude: UInt = 0
    var fits = true
    while let byte = current, let digit = hexadecimalDigit(byte) {
      fits = fits && magnitude >> (UInt.bitWidth - 4) == 0
      magnitude = magnitude << 4 | UInt(digit)
      index += 1
    }
    guard index > start else { throw error("expected a hexadecimal digit, not \(found)") }
    try endOfNumber(from: start, at: place)
    if fits, let integer = negative ? Int(exactly: magnitude).map({ -$0 }) : Int(exactly: magnitude),
      integer != 0 || !negative
    {
      return .integer(integer)
    }
    let text = (negative ? "-0x" : "0x") + String(decoding: bytes[start..<index], as: UTF8.self)
    return .number(try double(decimal: text, at: place))
  }
}
