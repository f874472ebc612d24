/// The checksum that HDF5 keeps behind a chunk: two running sums of big-endian 16-bit words, modulo 65,535.
///
/// The library adds word by word, one addition waiting for the one before; here 32 columns of words are added side
/// by side, and the sums put together at the end.
struct Fletcher32 {
  /// Words a step.
  private static let lanes = 32
  /// So many steps of the largest words fit the columns' second sums: 65,535 · 256 · 257 / 2 < 2³².
  private static let stepsPerBlock = 256

  // The words are read as little-endian, for exchanging the bytes of a word is a multiplication by 256 modulo 65,535, which can wait until
  // the end.
  private var first: UInt64 = 0
  private var second: UInt64 = 0
  private var total: UInt64 = 0

  static func checksum(_ bytes: UnsafeRawBufferPointer) -> UInt32 {
    var sum = Fletcher32()
    unsafe sum.add(bytes)
    return sum.value
  }

  /// Takes in the bytes that come next: whole words, unless they are the last.
  mutating func add(_ bytes: UnsafeRawBufferPointer) {
    guard let base = bytes.baseAddress else { return }
    var offset = 0
    let stepBytes = 2 * Self.lanes
    while bytes.count - offset >= stepBytes {
      let steps = min(Self.stepsPerBlock, (bytes.count - offset) / stepBytes)
      let (sums, weighted) = unsafe Self.block(base + offset, steps: steps)
      // Each word before the block weighs as many times more as the block has words.
      second += UInt64(steps * Self.lanes) * first + weighted
      first += sums
      total += sums
      (first, second) = (first % 65_535, second % 65_535)
      offset += steps * stepBytes
    }
    while offset < bytes.count {
      let high = offset + 1 < bytes.count ? unsafe UInt64(bytes[offset + 1]) << 8 : 0
      let word = unsafe UInt64(bytes[offset]) | high
      first += word
      second += first
      total += word
      offset += 2
    }
    (first, second) = (first % 65_535, second % 65_535)
  }

  /// The checksum of all bytes so far.
  var value: UInt32 {
    // In these sums zero means that there was nothing but zeros; any other multiple of 65,535 is 65,535.
    guard total > 0 else { return 0 }
    return UInt32(Self.exchanged(second)) << 16 | UInt32(Self.exchanged(first))
  }

  private static func exchanged(_ sum: UInt64) -> UInt64 {
    let rest = sum % 65_535 * 256 % 65_535
    return rest == 0 ? 65_535 : rest
  }

  /// The sum of all words, and the sum in which the last word counts once and each before it once more.
  private static func block(_ base: UnsafeRawPointer, steps: Int) -> (sums: UInt64, weighted: UInt64) {
    // The even words of a step and the odd ones, as the halves of numbers of 32 bits.
    var (even, odd) = (SIMD16<UInt32>(), SIMD16<UInt32>())
    var (runningEven, runningOdd) = (SIMD16<UInt32>(), SIMD16<UInt32>())
    for step in 0..<steps {
      let words = unsafe base.loadUnaligned(fromByteOffset: 2 * lanes * step, as: SIMD16<UInt32>.self)
      even &+= words & 0xFFFF
      odd &+= words &>> 16
      runningEven &+= even
      runningOdd &+= odd
    }
    var sums: UInt64 = 0
    var weighted: UInt64 = 0
    for pair in 0..<lanes / 2 {
      sums += UInt64(even[pair]) + UInt64(odd[pair])
      weighted += UInt64(lanes) * (UInt64(runningEven[pair]) + UInt64(runningOdd[pair]))
      weighted -= UInt64(2 * pair) * UInt64(even[pair]) + UInt64(2 * pair + 1) * UInt64(odd[pair])
    }
    return (sums, weighted)
  }
}
