/// One tensor of a safetensors file.
public struct SafetensorsTensor: Equatable, Sendable {
  /// The types of elements, as the format names them.
  public enum ElementType: String, CaseIterable, Sendable {
    case bool = "BOOL"
    case uint8 = "U8"
    case int8 = "I8"
    case float8E4M3 = "F8_E4M3"
    case float8E5M2 = "F8_E5M2"
    case int16 = "I16"
    case uint16 = "U16"
    case float16 = "F16"
    case bfloat16 = "BF16"
    case int32 = "I32"
    case uint32 = "U32"
    case float32 = "F32"
    case int64 = "I64"
    case uint64 = "U64"
    case float64 = "F64"

    public var bytes: Int {
      switch self {
      case .bool, .uint8, .int8, .float8E4M3, .float8E5M2: 1
      case .int16, .uint16, .float16, .bfloat16: 2
      case .int32, .uint32, .float32: 4
      case .int64, .uint64, .float64: 8
      }
    }
  }

  public let name: String
  public let type: ElementType
  /// Empty for a single value.
  public let shape: [Int]
  /// Where its bytes are, counted from the end of the header.
  let bytes: Range<Int>

  /// Elements: the product of the shape.
  public var count: Int { bytes.count / type.bytes }
}
