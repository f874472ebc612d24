extension Float {
  /// Bits that are ordered as the floats are; both zeros have the same.
  @inlinable @inline(__always) public var orderedBits: UInt32 {
    let bits = (self == 0 ? 0 : self).bitPattern
    return bits & 0x8000_0000 != 0 ? ~bits : bits | 0x8000_0000
  }
}
