import JSON

/// Reads a row from a JSON object whose members are named like the columns.
///
/// Numbers, true and false are values; a member that is null or not there is missing, and NaN.
struct JSONRow {
  let target: String
  let time: String?
  private let classes: [String: Int]?

  private static let mostValues = 1 << 20

  init(_ schema: RowSchema) {
    target = schema.target
    time = schema.time
    classes = schema.classes.map { names in
      Dictionary(zip(names, names.indices), uniquingKeysWith: { first, _ in first })
    }
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
    guard let number = targetNumber(found) else {
      return .malformed("'\(target)' is \(classes == nil ? "no number" : "none of the classes")")
    }
    value = number
    return .row
  }

  private static func number(_ value: JSONValue) -> Float? {
    switch value {
    case .null: .nan
    case .boolean(let flag): flag ? 1 : 0
    default: value.asDouble.map { Float($0) }
    }
  }

  private func targetNumber(_ value: JSONValue) -> Float? {
    guard let classes else {
      guard let number = value.asDouble, Float(number).isFinite else { return nil }
      return Float(number)
    }
    let name: String? =
      switch value {
      case .string(let text): text
      case .integer(let number): String(number)
      case .number(let number): Int(exactly: number).map { String($0) } ?? String(number)
      case .boolean(let flag): classes["true"] != nil ? "\(flag)" : flag ? "1" : "0"
      default: nil
      }
    return name.flatMap { classes[$0] }.map { Float($0) }
  }
}
