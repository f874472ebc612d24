/// Philox4x32-10: a block cipher of ten rounds that turns a 128-bit counter and a 64-bit key into 128 random bits.
///
/// Source: J. Salmon, M. Moraes, R. Dror, D. Shaw, Parallel Random Numbers: As Easy as 1, 2, 3 (SC 2011); checked
/// against the test vectors published with the authors' Random123.
enum Philox {
  /// The block of `counter` under `key`; words in the paper's order.
  static func block(counter: SIMD4<UInt32>, key: SIMD2<UInt32>) -> SIMD4<UInt32> {
    // Scalars: this is fast also in a debug build, where operations on vectors are calls.
    var (a, b, c, d) = (counter[0], counter[1], counter[2], counter[3])
    var (low, high) = (key[0], key[1])
    for _ in 0..<10 {
      let first = UInt64(a) &* 0xD251_1F53
      let second = UInt64(c) &* 0xCD9E_8D57
      (a, b, c, d) = (
        UInt32(truncatingIfNeeded: second >> 32) ^ b ^ low, UInt32(truncatingIfNeeded: second),
        UInt32(truncatingIfNeeded: first >> 32) ^ d ^ high, UInt32(truncatingIfNeeded: first)
      )
      low &+= 0x9E37_79B9
      high &+= 0xBB67_AE85
    }
    return SIMD4(a, b, c, d)
  }

  /// The blocks of eight counters, from `first` on, under `key`: the words of each one after the other.
  ///
  /// For long runs of words; side by side, the ciphers do not wait for their multiplications.
  static func run(from first: UInt64, key: SIMD2<UInt32>) -> InlineArray<32, UInt32> {
    var a = SIMD8<UInt32>()
    var b = SIMD8<UInt32>()
    for lane in 0..<8 {
      let counter = first &+ UInt64(lane)
      a[lane] = UInt32(truncatingIfNeeded: counter)
      b[lane] = UInt32(truncatingIfNeeded: counter >> 32)
    }
    var (c, d) = (SIMD8<UInt32>(), SIMD8<UInt32>())
    var (low, high) = (key[0], key[1])
    for _ in 0..<10 {
      let first = SIMD8<UInt64>(truncatingIfNeeded: a) &* 0xD251_1F53
      let second = SIMD8<UInt64>(truncatingIfNeeded: c) &* 0xCD9E_8D57
      a = SIMD8<UInt32>(truncatingIfNeeded: second &>> 32) ^ b ^ SIMD8(repeating: low)
      b = SIMD8<UInt32>(truncatingIfNeeded: second)
      c = SIMD8<UInt32>(truncatingIfNeeded: first &>> 32) ^ d ^ SIMD8(repeating: high)
      d = SIMD8<UInt32>(truncatingIfNeeded: first)
      low &+= 0x9E37_79B9
      high &+= 0xBB67_AE85
    }
    var words = InlineArray<32, UInt32>(repeating: 0)
    for lane in 0..<8 {
      words[4 * lane] = a[lane]
      words[4 * lane + 1] = b[lane]
      words[4 * lane + 2] = c[lane]
      words[4 * lane + 3] = d[lane]
    }
    return words
  }
}
