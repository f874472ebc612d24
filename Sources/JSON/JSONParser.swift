/// One pass over the bytes, by recursive descent no deeper than `depthLimit`.
struct JSONParser {
  let bytes: [UInt8]
  let dialect: JSONDialect
  let depthLimit: Int
  let valueLimit: Int

  var index = 0
  /// The current line, where it begins, and how many of its bytes so far continue a scalar: enough for a column without
  /// ever looking back, so that a text of one line is not read again for each value.
  var line = 1
  var lineStart = 0
  var continuationBytes = 0

  private var depth = 0
  private var values = 0

  init(bytes: [UInt8], dialect: JSONDialect, depthLimit: Int, valueLimit: Int) {
    self.bytes = bytes
    self.dialect = dialect
    self.depthLimit = depthLimit
    self.valueLimit = valueLimit
  }

  /// Where something begins.
  struct Place {
    let line: Int
    let column: Int
  }

  /// What a value is to what surrounds it, for messages; put into words only where there is one.
  private enum Role {
    case text
    case element
    case member(String)
  }

  private func expected(_ role: Role) -> String {
    switch role {
    case .text: "expected a value"
    case .element: "expected a value or ']'"
    case .member(let key): "expected a value for \(quoted(key))"
    }
  }

  var place: Place { Place(line: line, column: index - lineStart - continuationBytes + 1) }

  /// The byte at `index`, nil at the end.
  var current: UInt8? { index < bytes.count ? bytes[index] : nil }

  /// The byte `distance` further on, nil behind the end.
  func peek(_ distance: Int) -> UInt8? { index + distance < bytes.count ? bytes[index + distance] : nil }

  func error(_ message: String) -> JSONError { error(message, at: place) }

  func error(_ message: String, at place: Place) -> JSONError {
    JSONError(line: place.line, column: place.column, message: message)
  }

  /// The whole text: one value and nothing behind it.
  mutating func text() throws(JSONError) -> JSONNode {
    if bytes.starts(with: [0xEF, 0xBB, 0xBF]) {
      index = 3
      lineStart = 3
    }
    try skipSpace()
    guard current != nil else { throw error("the text is empty, expected a value") }
    let node = try value(as: .text)
    try skipSpace()
    guard current == nil else { throw error("expected the end of the text after the value, not \(found)") }
    return node
  }

  /// One value; `index` is at its first byte.
  private mutating func value(as role: Role) throws(JSONError) -> JSONNode {
    let place = self.place
    values += 1
    guard values <= valueLimit else { throw error("more than \(valueLimit) values") }
    guard let first = current else { throw error("\(expected(role)), not \(found)") }
    let value: JSONValue
    switch first {
    case UInt8(ascii: "{"): value = try object(from: place)
    case UInt8(ascii: "["): value = try array(from: place)
    case UInt8(ascii: "\""): value = .string(try string())
    case UInt8(ascii: "'"):
      guard dialect == .json5 else { throw error("a string takes double quotes") }
      value = .string(try string())
    case UInt8(ascii: "-"), UInt8(ascii: "+"), UInt8(ascii: "."), UInt8(ascii: "0")...UInt8(ascii: "9"):
      value = try number()
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "_"):
      value = try word(as: role)
    default: throw error("\(expected(role)), not \(found)")
    }
    return JSONNode(value, line: place.line, column: place.column)
  }

  private mutating func array(from start: Place) throws(JSONError) -> JSONValue {
    try enter()
    var elements: [JSONNode] = []
    while true {
      try skipSpace()
      if current == UInt8(ascii: "]") {
        guard elements.isEmpty || dialect == .json5 else { throw error("a comma before ']' is not allowed") }
        break
      }
      if current == nil { throw unclosed("array", from: start, "expected a value or ']'") }
      elements.append(try value(as: .element))
      try skipSpace()
      if current == UInt8(ascii: "]") { break }
      guard current == UInt8(ascii: ",") else {
        let message = "expected ',' or ']' after element \(elements.count)"
        throw current == nil ? unclosed("array", from: start, message) : error("\(message), not \(found)")
      }
      index += 1
    }
    leave()
    return .array(elements)
  }

  private mutating func object(from start: Place) throws(JSONError) -> JSONValue {
    try enter()
    var members: [JSONMember] = []
    var keys = JSONKeys()
    while true {
      try skipSpace()
      if current == UInt8(ascii: "}") {
        guard members.isEmpty || dialect == .json5 else { throw error("a comma before '}' is not allowed") }
        break
      }
      if current == nil { throw unclosed("object", from: start, "expected a key or '}'") }
      let keyPlace = place
      let key = try self.key()
      if let earlier = keys.insert(key, at: members.count) {
        let first = members[earlier]
        throw error(
          "the key \(quoted(key)) was given before, at line \(first.keyLine), column \(first.keyColumn)", at: keyPlace)
      }
      try skipSpace()
      guard current == UInt8(ascii: ":") else { throw error("expected ':' after the key \(quoted(key)), not \(found)") }
      index += 1
      try skipSpace()
      let value = try value(as: .member(key))
      members.append(JSONMember(key: key, value: value, keyLine: keyPlace.line, keyColumn: keyPlace.column))
      try skipSpace()
      if current == UInt8(ascii: "}") { break }
      guard current == UInt8(ascii: ",") else {
        let message = "expected ',' or '}' after the value of \(quoted(key))"
        throw current == nil ? unclosed("object", from: start, message) : error("\(message), not \(found)")
      }
      index += 1
    }
    leave()
    return .object(members)
  }

  private mutating func key() throws(JSONError) -> String {
    switch current {
    case UInt8(ascii: "\""): return try string()
    case UInt8(ascii: "'"):
      guard dialect == .json5 else { throw error("a key takes double quotes") }
      return try string()
    default:
      if dialect == .json5 { return try identifier() }
      throw error("expected a key in double quotes, not \(found)")
    }
  }

  /// `true`, `false`, `null`, and what people write in their place.
  private mutating func word(as role: Role) throws(JSONError) -> JSONValue {
    var end = index
    while end < bytes.count, end - index < 40, isASCIIWordByte(bytes[end]) { end += 1 }
    let text = String(decoding: bytes[index..<end], as: UTF8.self)
    let value: JSONValue
    switch text {
    case "true": value = .boolean(true)
    case "false": value = .boolean(false)
    case "null": value = .null
    case "Infinity" where dialect == .json5: value = .number(.infinity)
    case "NaN" where dialect == .json5: value = .number(.nan)
    default:
      switch text.lowercased() {
      case "true", "yes", "on": throw error("\(expected(role)), not '\(text)'; did you mean true?")
      case "false", "no", "off": throw error("\(expected(role)), not '\(text)'; did you mean false?")
      case "null", "none", "nil", "undefined": throw error("\(expected(role)), not '\(text)'; did you mean null?")
      case "nan", "inf", "infinity": throw error("\(expected(role)); a number has to be finite")
      default: throw error("\(expected(role)), not '\(text)'; text takes quotes")
      }
    }
    index = end
    return value
  }

  private mutating func enter() throws(JSONError) {
    depth += 1
    guard depth <= depthLimit else { throw error("more than \(depthLimit) arrays and objects within each other") }
    index += 1
  }

  private mutating func leave() {
    depth -= 1
    index += 1
  }

  private func unclosed(_ kind: String, from start: Place, _ message: String) -> JSONError {
    error(
      "\(message), not the end of the text; the \(kind) that begins at line \(start.line), column \(start.column) "
        + "is not closed")
  }
}
