/// One member of an object: a key and its value, with the place of both.
public struct JSONMember: Equatable, Sendable {
  public var key: String
  public var value: JSONNode

  // Four bytes each: hostile input can ask for many members, and a text has less than 4 GiB.
  private var keyLineNumber: UInt32
  private var keyColumnNumber: UInt32

  /// The line of the key, counted from 1; 0 for a member that was not read from a text.
  public var keyLine: Int { Int(keyLineNumber) }
  /// The column of the key, counted from 1 in Unicode scalars; 0 for a member that was not read from a text.
  public var keyColumn: Int { Int(keyColumnNumber) }

  /// A member that was not read from a text.
  public init(key: String, value: JSONValue) {
    self.init(key: key, value: JSONNode(value), keyLine: 0, keyColumn: 0)
  }

  public init(key: String, value: JSONNode, keyLine: Int, keyColumn: Int) {
    self.key = key
    self.value = value
    self.keyLineNumber = UInt32(clamping: keyLine)
    self.keyColumnNumber = UInt32(clamping: keyColumn)
  }

  /// Members are equal if keys and values are, wherever they stand.
  public static func == (a: JSONMember, b: JSONMember) -> Bool { a.key == b.key && a.value == b.value }
}
