/// A JSON value. Objects keep the order of their members, so that what is written is what was meant.
///
/// Values are built with literals, `["rows": 3, "names": ["a", "b"]]`, or with `.object([("rows", 3)])`.
public enum JSONValue: Equatable, Sendable {
  case null
  case boolean(Bool)
  /// A number written without fraction and exponent that fits an `Int`.
  case integer(Int)
  /// Any other number. Finite, unless JSON5's `Infinity` or `NaN` was read.
  case number(Double)
  case string(String)
  case array([JSONNode])
  /// Members in the order of the text, each key once.
  case object([JSONMember])

  /// An object of the given members, in the given order.
  @_disfavoredOverload
  public static func object(_ members: [(String, JSONValue)]) -> JSONValue {
    .object(members.map { JSONMember(key: $0.0, value: $0.1) })
  }

  /// An array of the given values.
  @_disfavoredOverload
  public static func array(_ values: [JSONValue]) -> JSONValue {
    .array(values.map { JSONNode($0) })
  }

  /// The word for this kind of value in messages: "an object", "a number".
  public var kindName: String {
    switch self {
    case .null: "null"
    case .boolean: "true or false"
    case .integer, .number: "a number"
    case .string: "a string"
    case .array: "an array"
    case .object: "an object"
    }
  }
}

// What a value holds, or nil where it holds something else.
extension JSONValue {
  public var isNull: Bool { self == .null }

  public var asBool: Bool? {
    if case .boolean(let value) = self { value } else { nil }
  }

  /// The integer, also where it was written as `1e3` or `2.0`; nil where a double no longer tells neighbours apart.
  public var asInt: Int? {
    switch self {
    case .integer(let value): value
    case .number(let value) where value.magnitude <= 9_007_199_254_740_992: Int(exactly: value)
    default: nil
    }
  }

  /// The number as the nearest double.
  public var asDouble: Double? {
    switch self {
    case .integer(let value): Double(value)
    case .number(let value): value
    default: nil
    }
  }

  public var asString: String? {
    if case .string(let value) = self { value } else { nil }
  }

  public var asArray: [JSONNode]? {
    if case .array(let value) = self { value } else { nil }
  }

  public var asObject: [JSONMember]? {
    if case .object(let value) = self { value } else { nil }
  }

  /// The value of `key` if this is an object that has it. Takes time in proportion to the members.
  public subscript(key: String) -> JSONNode? {
    guard case .object(let members) = self else { return nil }
    return members.first { $0.key.utf8.elementsEqual(key.utf8) }?.value
  }
}

// Not `nil` for null: where a `JSONValue?` is wanted, `condition ? value : nil` would then be null and not nothing.
extension JSONValue: ExpressibleByBooleanLiteral, ExpressibleByIntegerLiteral,
  ExpressibleByFloatLiteral, ExpressibleByStringLiteral, ExpressibleByStringInterpolation,
  ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral
{
  public init(booleanLiteral value: Bool) { self = .boolean(value) }
  public init(integerLiteral value: Int) { self = .integer(value) }
  public init(floatLiteral value: Double) { self = .number(value) }
  public init(stringLiteral value: String) { self = .string(value) }
  public init(arrayLiteral elements: JSONValue...) { self = .array(elements) }
  public init(dictionaryLiteral elements: (String, JSONValue)...) { self = .object(elements) }
}
