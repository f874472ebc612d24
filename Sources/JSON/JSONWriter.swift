extension JSONValue {
  /// The value as JSON text in UTF-8, the same bytes for the same value on every machine.
  ///
  /// Members stand in their order. Doubles are the shortest decimal that reads back as the same double; what is not
  /// finite has no JSON and becomes `null`. Only what RFC 8259 demands is escaped.
  /// - Parameter pretty: Two spaces of indentation, one member a line, arrays of plain values on one line, and a line
  ///   feed at the end; otherwise no space at all.
  public func serialized(pretty: Bool = false) -> String {
    var writer = JSONWriter(pretty: pretty)
    writer.write(self, indentation: 0)
    if pretty { writer.bytes.append(UInt8(ascii: "\n")) }
    return String(decoding: writer.bytes, as: UTF8.self)
  }
}

struct JSONWriter {
  let pretty: Bool
  var bytes: [UInt8] = []

  init(pretty: Bool) { self.pretty = pretty }

  mutating func write(_ value: JSONValue, indentation: Int) {
    switch value {
    case .null: append("null")
    case .boolean(let boolean): append(boolean ? "true" : "false")
    case .integer(let integer): append(String(integer))
    case .number(let number): append(number.isFinite ? number.description : "null")
    case .string(let string): write(string)
    case .array(let elements): write(elements, indentation: indentation)
    case .object(let members): write(members, indentation: indentation)
    }
  }

  private mutating func write(_ elements: [JSONNode], indentation: Int) {
    let broken = pretty && elements.contains { $0.value.isContainer }
    append("[")
    for (index, element) in elements.enumerated() {
      if index > 0 { append(pretty && !broken ? ", " : ",") }
      if broken { newLine(indentation + 1) }
      write(element.value, indentation: indentation + 1)
    }
    if broken { newLine(indentation) }
    append("]")
  }

  private mutating func write(_ members: [JSONMember], indentation: Int) {
    append("{")
    for (index, member) in members.enumerated() {
      if index > 0 { append(",") }
      if pretty { newLine(indentation + 1) }
      write(member.key)
      append(pretty ? ": " : ":")
      write(member.value.value, indentation: indentation + 1)
    }
    if pretty, !members.isEmpty { newLine(indentation) }
    append("}")
  }

  private mutating func write(_ string: String) {
    bytes.append(UInt8(ascii: "\""))
    for byte in string.utf8 {
      switch byte {
      case UInt8(ascii: "\""), UInt8(ascii: "\\"):
        bytes.append(UInt8(ascii: "\\"))
        bytes.append(byte)
      case 0x08: append("\\b")
      case 0x09: append("\\t")
      case 0x0A: append("\\n")
      case 0x0C: append("\\f")
      case 0x0D: append("\\r")
      case 0..<0x20:
        let digits = String(byte, radix: 16)
        append(digits.utf8.count == 1 ? "\\u000" : "\\u00")
        append(digits)
      default: bytes.append(byte)
      }
    }
    bytes.append(UInt8(ascii: "\""))
  }

  private mutating func newLine(_ indentation: Int) {
    bytes.append(UInt8(ascii: "\n"))
    bytes.append(contentsOf: repeatElement(UInt8(ascii: " "), count: 2 * indentation))
  }

  private mutating func append(_ text: String) { bytes.append(contentsOf: text.utf8) }
}

extension JSONValue {
  fileprivate var isContainer: Bool {
    switch self {
    case .array, .object: true
    case .null, .boolean, .integer, .number, .string: false
    }
  }
}
