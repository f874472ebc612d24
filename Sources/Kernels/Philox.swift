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

  /// The blocks of sixteen counters, from `first` on, under `key`: the words of each one after the other.
  ///
  /// For long runs of words; side by side, the ciphers do not wait for their multiplications. A word stays in the lower half of a lane of 64
  /// bits, with anything in the upper one, because a product has 64 and is cut nowhere.
  static func run(from first: UInt64, key: SIMD2<UInt32>) -> InlineArray<64, UInt32> {
    let steps = SIMD8<UInt64>(0, 1, 2, 3, 4, 5, 6, 7)
    var near = Lanes(counters: SIMD8(repeating: first) &+ steps)
    var far = Lanes(counters: SIMD8(repeating: first &+ 8) &+ steps)
    var (low, high) = (key[0], key[1])
    for _ in 0..<10 {
      near.round(low, high)
      far.round(low, high)
      low &+= 0x9E37_79B9
      high &+= 0xBB67_AE85
    }
    var words = InlineArray<64, UInt32>(repeating: 0)
    near.write(to: &words, from: 0)
    far.write(to: &words, from: 32)
    return words
  }

  /// Eight blocks side by side.
  private struct Lanes {
    private var a, b, c, d: SIMD8<UInt64>

    @inline(__always)
    init(counters: SIMD8<UInt64>) {
      (a, b, c, d) = (counters, counters &>> 32, SIMD8(), SIMD8())
    }

    @inline(__always)
    mutating func round(_ low: UInt32, _ high: UInt32) {
      let first = (a & 0xFFFF_FFFF) &* 0xD251_1F53
      let second = (c & 0xFFFF_FFFF) &* 0xCD9E_8D57
      (a, b) = (second &>> 32 ^ b ^ UInt64(low), second)
      (c, d) = (first &>> 32 ^ d ^ UInt64(high), first)
    }

    @inline(__always)
    func write(to words: inout InlineArray<64, UInt32>, from start: Int) {
      var pairs = SIMD16<UInt64>()
      pairs.evenHalf = (a & 0xFFFF_FFFF) | b &<< 32
      pairs.oddHalf = (c & 0xFFFF_FFFF) | d &<< 32
      unsafe withUnsafeMutableBytes(of: &words) { bytes in
        unsafe bytes.storeBytes(of: pairs, toByteOffset: 4 * start, as: SIMD16<UInt64>.self)
      }
    }
  }
}
