/// The checksum that HDF5 keeps behind a chunk: two running sums of big-endian 16-bit words, modulo 65,535.
///
/// The library adds word by word, one addition waiting for the one before; here sixteen columns of words are added side
/// by side, and the sums put together at the end.
enum Fletcher32 {
  /// Words a step.
  private static let lanes = 16
  /// So many steps of the largest words fit the columns' second sums: 65,535 · 256 · 257 / 2 < 2³².
  private static let stepsPerBlock = 256

  static func checksum(_ bytes: UnsafeRawBufferPointer) -> UInt32 {
    guard let base = bytes.baseAddress else { return 0 }
    // The words are read as little-endian, for exchanging the bytes of a word is a multiplication by 256 modulo 65,535,
    // which can wait until the end.
    var first: UInt64 = 0
    var second: UInt64 = 0
    var total: UInt64 = 0
    var offset = 0
    let stepBytes = 2 * lanes
    while bytes.count - offset >= stepBytes {
      let steps = min(stepsPerBlock, (bytes.count - offset) / stepBytes)
      let (sums, weighted) = unsafe block(base + offset, steps: steps)
      // Each word before the block weighs as many times more as the block has words.
      second += UInt64(steps * lanes) * first + weighted
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
    // In these sums zero means that there was nothing but zeros; any other multiple of 65,535 is 65,535.
    guard total > 0 else { return 0 }
    return UInt32(exchanged(second)) << 16 | UInt32(exchanged(first))
  }

  private static func exchanged(_ sum: UInt64) -> UInt64 {
    let rest = sum % 65_535 * 256 % 65_535
    return rest == 0 ? 65_535 : rest
  }

  /// The sum of all words, and the sum in which the last word counts once and each before it once more.
  private static func block(_ base: UnsafeRawPointer, steps: Int) -> (sums: UInt64, weighted: UInt64) {
    var columns = SIMD16<UInt32>()
    var running = SIMD16<UInt32>()
    for step in 0..<steps {
      let words = unsafe base.loadUnaligned(fromByteOffset: 2 * lanes * step, as: SIMD16<UInt16>.self)
      columns &+= SIMD16<UInt32>(truncatingIfNeeded: words)
      running &+= columns
    }
    var sums: UInt64 = 0
    var weighted: UInt64 = 0
    for lane in 0..<lanes {
      sums += UInt64(columns[lane])
      weighted += UInt64(lanes) * UInt64(running[lane]) - UInt64(lane) * UInt64(columns[lane])
    }
    return (sums, weighted)
  }
}
