import JSON
import Text

/// Lines of a name and what it is, aligned.
struct Listing {
  private var table = Table([Table.Column(""), Table.Column("")])

  mutating func add(_ name: String, _ text: String) { table.append([name, text]) }

  /// Nothing is added where there is nothing to say.
  mutating func add(_ name: String, _ text: String?) {
    if let text { add(name, text) }
  }

  var text: String { table.rendered() }

  /// The first of `items` and how many there are; not longer than a line or two.
  static func some(_ items: [String], most: Int = 8) -> String {
    guard items.count > most else { return items.joined(separator: ", ") }
    return items.prefix(most - 1).joined(separator: ", ") + ", ... (\(grouped(items.count)))"
  }

  /// `[rows, 64]`
  static func shape(_ shape: [Int]) -> String {
    "[" + shape.map(grouped).joined(separator: " × ") + "]"
  }

  /// Text of a file in one line.
  static func line(_ text: String, most: Int = 200) -> String {
    let scalars = text.unicodeScalars.prefix(most).map { $0.value < 0x20 || $0.value == 0x7F ? " " : String($0) }
    return scalars.joined() + (text.unicodeScalars.count > most ? "..." : "")
  }
}

extension JSONValue {
  static func texts(_ texts: [String]) -> JSONValue { .array(texts.map { .string($0) }) }
  static func integers(_ integers: [Int]) -> JSONValue { .array(integers.map { .integer($0) }) }
  static func numbers(_ numbers: [Double]) -> JSONValue { .array(numbers.map { .number($0) }) }

  /// The value for a reader: texts without quotes, numbers with six digits, all else as JSON.
  var shown: String {
    switch self {
    case .string(let text): text
    case .integer(let integer): String(integer)
    case .number(let number): significant(number, digits: 6)
    case .array(let nodes) where nodes.isEmpty: "none"
    case .array(let nodes): Listing.some(nodes.map { $0.value.shown })
    default: serialized(pretty: false)
    }
  }
}
