import JSON
import Text

/// Rows of JSON lines whose text comes piece by piece: an object a line, its members named like the columns.
///
/// Numbers, true and false are values; a member that is null or not there is missing, and NaN.
struct JSONLineFeed {
  private(set) var columns: [String]
  private let target: String
  private let time: String?
  private let classes: [String: Int]?

  private var bytes: [UInt8] = []
  /// The byte of `bytes` at which the next line begins.
  private var position = 0
  private var base = 0
  private var isWhole = false

  /// A longer line is none.
  private static let longestLine = 1 << 24
  private static let mostValues = 1 << 20

  init(_ schema: RowSchema) {
    columns = schema.columns
    target = schema.target
    time = schema.time
    classes = schema.classes.map { names in
      Dictionary(zip(names, names.indices), uniquingKeysWith: { first, _ in first })
    }
  }

  /// The byte of the text at which the next row begins.
  var offset: Int { base + position }

  mutating func append(_ more: [UInt8]) {
    bytes.removeSubrange(..<position)
    base += position
    position = 0
    bytes += more
  }

  mutating func finish() { isWhole = true }

  mutating func move(to offset: Int) {
    bytes = []
    (position, base) = (0, offset)
  }

  /// Learns the columns from the first line, where the job does not name them; returns whether they are known.
  mutating func open() -> Bool {
    guard columns.isEmpty else { return true }
    guard let line = line(), let members = Self.object(line) else { return false }
    columns = members.map(\.key).filter { $0 != target && $0 != time }
    return !columns.isEmpty
  }

  /// The next line, which stays the next one; nil where it is not there as a whole. Blank lines are passed over.
  private mutating func line() -> ArraySlice<UInt8>? {
    while position < bytes.count {
      let end = bytes[position...].firstIndex(of: UInt8(ascii: "\n"))
      guard let end = end ?? (isWhole ? bytes.count : nil) else { return nil }
      let line = bytes[position..<end]
      if line.contains(where: { $0 != 0x20 && $0 != 0x09 && $0 != 0x0D }) { return line }
      position = min(end + 1, bytes.count)
    }
    return nil
  }

  private static func object(_ line: ArraySlice<UInt8>) -> [JSONMember]? {
    guard let node = try? JSONNode(parsing: Array(line), dialect: .json, depthLimit: 16, valueLimit: mostValues) else {
      return nil
    }
    return node.asObject
  }

  /// Goes on to the next row, as `CSVFeed.next`.
  mutating func next(
    into values: inout MutableSpan<Float>, at place: Int, target value: inout Float, time moment: inout Double
  ) -> SourceEvent {
    guard open() || position < bytes.count, let line = line() else {
      return bytes.count - position > Self.longestLine ? passAll() : .nothing
    }
    position = min(line.endIndex + 1, bytes.count)
    guard let members = Self.object(line) else { return .malformed("it is no JSON object") }
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

  /// What has no line end for so long is passed over.
  private mutating func passAll() -> SourceEvent {
    position = bytes.count
    return .malformed("a line has more than \(Text.bytes(Self.longestLine))")
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
