import CHDF5

extension ElementType {
  /// Reads the type that `handle` stands for. Anything but plain integers, IEEE numbers and text is `.other`.
  init(of handle: hid_t) {
    let bytes = H5Tget_size(handle)
    switch H5Tget_class(handle) {
    case H5T_INTEGER: self = Self.integer(handle, bytes: bytes)
    case H5T_FLOAT: self = Self.floatingPoint(handle, bytes: bytes)
    case H5T_STRING: self = .string
    case H5T_COMPOUND: self = .other("compound")
    case H5T_ENUM: self = .other("enumeration")
    case H5T_ARRAY: self = .other("array")
    case H5T_VLEN: self = .other("variable-length sequence")
    case H5T_REFERENCE: self = .other("reference")
    case H5T_OPAQUE: self = .other("opaque")
    case H5T_BITFIELD: self = .other("bit field")
    case H5T_TIME: self = .other("time")
    default: self = .other("unknown type")
    }
  }

  private static func integer(_ handle: hid_t, bytes: Int) -> ElementType {
    let order = H5Tget_order(handle)
    let plain = order == H5T_ORDER_LE || order == H5T_ORDER_BE
    guard plain, bytes <= 8, H5Tget_precision(handle) == 8 * bytes, H5Tget_offset(handle) == 0 else {
      return .other("integer of \(H5Tget_precision(handle)) bits in \(bytes) bytes")
    }
    switch (bytes, H5Tget_sign(handle)) {
    case (1, H5T_SGN_2): return .int8
    case (2, H5T_SGN_2): return .int16
    case (4, H5T_SGN_2): return .int32
    case (8, H5T_SGN_2): return .int64
    case (1, H5T_SGN_NONE): return .uint8
    case (2, H5T_SGN_NONE): return .uint16
    case (4, H5T_SGN_NONE): return .uint32
    case (8, H5T_SGN_NONE): return .uint64
    default: return .other("integer of \(bytes) bytes")
    }
  }

  private static func floatingPoint(_ handle: hid_t, bytes: Int) -> ElementType {
    for big in [Int32(0), 1] {
      if H5Tequal(handle, chdf5_ieee_float32(big)) > 0 { return .float32 }
      if H5Tequal(handle, chdf5_ieee_float64(big)) > 0 { return .float64 }
    }
    return isHalf(handle, bytes: bytes) ? .half : .other("floating point of \(bytes) bytes")
  }

  private static func isHalf(_ handle: hid_t, bytes: Int) -> Bool {
    guard bytes == 2 else { return false }
    var sign = 0
    var exponent = 0
    var exponentBits = 0
    var mantissa = 0
    var mantissaBits = 0
    let status = unsafe H5Tget_fields(handle, &sign, &exponent, &exponentBits, &mantissa, &mantissaBits)
    return status >= 0 && sign == 15 && exponent == 10 && exponentBits == 5 && mantissa == 0 && mantissaBits == 10
      && H5Tget_ebias(handle) == 15
  }

  /// IEEE numbers of 16 bits, which can be converted though not read as they are.
  static var half: ElementType { .other("float16") }

  /// Whether the library can turn elements into another number without a surprise.
  var isConvertible: Bool { isNumber || self == .half }

  /// The same type in this machine's memory; nil for text and other types.
  var native: hid_t? {
    switch self {
    case .float32: chdf5_native_float()
    case .float64: chdf5_native_double()
    case .int8: chdf5_native_int8()
    case .int16: chdf5_native_int16()
    case .int32: chdf5_native_int32()
    case .int64: chdf5_native_int64()
    case .uint8: chdf5_native_uint8()
    case .uint16: chdf5_native_uint16()
    case .uint32: chdf5_native_uint32()
    case .uint64: chdf5_native_uint64()
    case .string, .other: nil
    }
  }
}

extension HDF5Element {
  /// This type in memory. Every conforming type is a number, so there is one.
  static var native: hid_t {
    guard let handle = elementType.native else { preconditionFailure("\(Self.self) is not a number of HDF5") }
    return handle
  }
}
