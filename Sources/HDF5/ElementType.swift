/// What an element of a data set or attribute is, in either byte order.
public enum ElementType: Equatable, Hashable, Sendable, CustomStringConvertible {
  case float32, float64
  case int8, int16, int32, int64
  case uint8, uint16, uint32, uint64
  case string
  /// A type that is not read as numbers or text: compounds, references, numbers with odd bit fields. Says which.
  case other(String)

  public var description: String {
    switch self {
    case .float32: "float32"
    case .float64: "float64"
    case .int8: "int8"
    case .int16: "int16"
    case .int32: "int32"
    case .int64: "int64"
    case .uint8: "uint8"
    case .uint16: "uint16"
    case .uint32: "uint32"
    case .uint64: "uint64"
    case .string: "string"
    case .other(let name): name
    }
  }

  /// Whether elements are whole numbers.
  public var isInteger: Bool {
    switch self {
    case .int8, .int16, .int32, .int64, .uint8, .uint16, .uint32, .uint64: true
    default: false
    }
  }

  /// Whether elements are ordinary numbers.
  public var isNumber: Bool {
    switch self {
    case .string, .other: false
    default: true
    }
  }
}

/// A number that HDF5 and Swift hold alike.
public protocol HDF5Element: BitwiseCopyable, Sendable {
  /// The stored type that this one is, without conversion.
  static var elementType: ElementType { get }
  init()
}

extension Float: HDF5Element { public static var elementType: ElementType { .float32 } }
extension Double: HDF5Element { public static var elementType: ElementType { .float64 } }
extension Int8: HDF5Element { public static var elementType: ElementType { .int8 } }
extension Int16: HDF5Element { public static var elementType: ElementType { .int16 } }
extension Int32: HDF5Element { public static var elementType: ElementType { .int32 } }
extension Int64: HDF5Element { public static var elementType: ElementType { .int64 } }
extension UInt8: HDF5Element { public static var elementType: ElementType { .uint8 } }
extension UInt16: HDF5Element { public static var elementType: ElementType { .uint16 } }
extension UInt32: HDF5Element { public static var elementType: ElementType { .uint32 } }
extension UInt64: HDF5Element { public static var elementType: ElementType { .uint64 } }
extension Int: HDF5Element { public static var elementType: ElementType { .int64 } }
