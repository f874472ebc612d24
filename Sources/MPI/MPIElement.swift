import CMPI

/// A number that ranks can exchange.
public protocol MPIElement: BitwiseCopyable, AdditiveArithmetic, Sendable {
  static var elementKind: ElementKind { get }
}

/// The numbers that MPI knows by name; a closed set, so that the datatype of a message is looked up, not dispatched.
public enum ElementKind: UInt8, Sendable {
  case float, double, uint8, int32, int64, uint64

  /// Bytes an element.
  public var stride: Int {
    switch self {
    case .uint8: 1
    case .float, .int32: 4
    case .double, .int64, .uint64: 8
    }
  }

  var datatype: MPI_Datatype {
    switch self {
    case .float: cmpi_float()
    case .double: cmpi_double()
    case .uint8: cmpi_uint8()
    case .int32: cmpi_int32()
    case .int64: cmpi_int64()
    case .uint64: cmpi_uint64()
    }
  }
}

extension Float: MPIElement { public static var elementKind: ElementKind { .float } }
extension Double: MPIElement { public static var elementKind: ElementKind { .double } }
extension UInt8: MPIElement { public static var elementKind: ElementKind { .uint8 } }
extension Int32: MPIElement { public static var elementKind: ElementKind { .int32 } }
extension Int64: MPIElement { public static var elementKind: ElementKind { .int64 } }
extension UInt64: MPIElement { public static var elementKind: ElementKind { .uint64 } }
extension Int: MPIElement { public static var elementKind: ElementKind { .int64 } }
