/// A value and the place where it begins in the text that it was read from.
public struct JSONNode: Equatable, Sendable {
  public var value: JSONValue

  // Four bytes each: hostile input can ask for many values, and a text has less than 4 GiB.
  private var lineNumber: UInt32
  private var columnNumber: UInt32

  /// The line of the value's first character, counted from 1; 0 for a value that was not read from a text.
  public var line: Int { Int(lineNumber) }
  /// The column of the value's first character, counted from 1 in Unicode scalars; 0 for a value that was not read from
  /// a text.
  public var column: Int { Int(columnNumber) }

  public init(_ value: JSONValue, line: Int = 0, column: Int = 0) {
    self.value = value
    self.lineNumber = UInt32(clamping: line)
    self.columnNumber = UInt32(clamping: column)
  }

  /// Reads one JSON text. A byte order mark before it is skipped.
  ///
  /// Takes time in proportion to the bytes, and memory in proportion to the bytes and at most `valueLimit` values. Keys
  /// are compared by their Unicode scalars, escapes resolved. An integer that does not fit an `Int` becomes the nearest
  /// double; a number too small for a double becomes zero.
  /// - Parameters:
  ///   - depthLimit: How many arrays and objects may lie within each other, at most 512.
  ///   - valueLimit: How many values the text may hold in all, containers included.
  /// - Throws: `JSONError` at the first place where the text breaks the grammar, repeats a key, is not UTF-8, pairs
  ///   surrogates wrongly, holds a number beyond the range of a double or longer than 1,000 characters, or passes a
  ///   limit.
  /// Source: RFC 8259; spec.json5.org 1.0.0.
  public init(
    parsing bytes: [UInt8], dialect: JSONDialect = .json, depthLimit: Int = 64, valueLimit: Int = 1_000_000
  ) throws(JSONError) {
    precondition((1...512).contains(depthLimit), "depthLimit is \(depthLimit), not within 1 to 512")
    guard bytes.count < Int(UInt32.max) else {
      throw JSONError(line: 1, column: 1, message: "the text has \(bytes.count) bytes; the limit is 4 GiB")
    }
    var parser = JSONParser(bytes: bytes, dialect: dialect, depthLimit: depthLimit, valueLimit: valueLimit)
    self = try parser.text()
  }

  /// Values are equal wherever they stand.
  public static func == (a: JSONNode, b: JSONNode) -> Bool { a.value == b.value }
}

// What the value holds, or nil where it holds something else; see `JSONValue`.
extension JSONNode {
  public var isNull: Bool { value.isNull }
  public var asBool: Bool? { value.asBool }
  public var asInt: Int? { value.asInt }
  public var asDouble: Double? { value.asDouble }
  public var asString: String? { value.asString }
  public var asArray: [JSONNode]? { value.asArray }
  public var asObject: [JSONMember]? { value.asObject }
  public var kindName: String { value.kindName }
  public subscript(key: String) -> JSONNode? { value[key] }

  /// An error at the place of this value.
  public func error(_ message: String) -> JSONError { JSONError(line: line, column: column, message: message) }
}
