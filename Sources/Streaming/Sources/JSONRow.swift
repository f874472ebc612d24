import JSON
import Preparation

/// Reads a row from a JSON object whose members are named like the columns.
///
/// Numbers, true and false are values; a member that is null or not there is missing, and NaN.
struct JSONRow {
  let target: String
  let time: String?
  private var classes: [String: Int]?
  private let parser: FieldParser

  private static let mostValues = 1 << 20

  init(_ schema: RowSchema) {
    target = schema.target
    time = schema.time
    parser = FieldParser(classes: schema.classes)
    schema.classes.map { know(classes: $0) }
  }

  /// The classes are these from now on.
  mutating func know(classes: [String]) {
    self.classes = Dictionary(zip(classes, classes.indices), uniquingKeysWith: { first, _ in first })
  }

  /// The members of an object; nil where the text is none.
  static func object(_ text: ArraySlice<UInt8>) -> [JSONMember]? {
    guard let node = try? JSONNode(parsing: Array(text), dialect: .json, depthLimit: 16, valueLimit: mostValues) else {
      return nil
    }
    return node.asObject
  }

  /// The columns that an object has: all but the target and the time.
  func columns(of members: [JSONMember]) -> [String] {
    members.map(\.key).filter { $0 != target && $0 != time }
  }

  /// Fills in the row that `text` is, as `CSVFeed.next` does.
  func read(
    _ text: ArraySlice<UInt8>, columns: [String], into values: inout MutableSpan<Float>, at place: Int,
    target value: inout Float, time moment: inout Double
  ) -> SourceEvent {
    guard let members = Self.object(text) else { return .malformed("it is no JSON object") }
    for (index, name) in columns.enumerated() {
      // Most writers keep an order.
      let member =
        index < members.count && members[index].key == name ? members[index] : members.first { $0.key == name }
      guard let number = Self.number(member?.value.value ?? .null) else {
        return .malformed("'\(name)' is no number")
      }
      values[place + index] = number
    }
    if let time {
      guard let number = members.first(where: { $0.key == time })?.value.asDouble else {
        return .malformed("'\(time)' is no number")
      }
      moment = number
    }
    let found = members.first { $0.key == target }?.value.value ?? .null
    guard let classes else {
      guard let number = found.asDouble, Float(number).isFinite else { return .malformed("'\(target)' is no number") }
      value = Float(number)
      return .row
    }
    let name = className(found, classes)
    if let name, let number = classes[name] {
      value = Float(number)
      return .row
    }
    let bytes = Array((name ?? "").utf8)
    guard let unknown = parser.newClass(bytes.span, 0..<bytes.count) else {
      return .malformed("'\(target)' is none of the classes")
    }
    return .unknownClass(unknown)
  }

  private static func number(_ value: JSONValue) -> Float? {
    switch value {
    case .null: .nan
    case .boolean(let flag): flag ? 1 : 0
    default: value.asDouble.map { Float($0) }
    }
  }

  /// What a value of the target calls its class; nil where it is no text, number or truth.
  private func className(_ value: JSONValue, _ classes: [String: Int]) -> String? {
    switch value {
    case .string(let text): text
    case .integer(let number): String(number)
    case .number(let number): Int(exactly: number).map { String($0) } ?? String(number)
    case .boolean(let flag): classes["true"] != nil ? "\(flag)" : flag ? "1" : "0"
    default: nil
    }
  }
}
