/// Numbers distinct byte strings in the order in which they are first met, without a `String` or an array for each
/// lookup.
struct ByteTable: Sendable {
  /// All strings, one after the other, and where each ends.
  private var arena: [UInt8] = []
  private var ends: [Int] = []
  /// Open addressing: index + 1 of the string in a slot, zero where it is free. The size is a power of two.
  private var slots = [Int32](repeating: 0, count: 64)

  var count: Int { ends.count }

  /// The string with this number.
  subscript(index: Int) -> [UInt8] { Array(arena[range(index)]) }

  private func range(_ index: Int) -> Range<Int> { (index == 0 ? 0 : ends[index - 1])..<ends[index] }

  /// The number of the string, if it has been met.
  func index(of bytes: Span<UInt8>, _ range: Range<Int>) -> Int? {
    let entry = slots[slot(bytes, range)]
    return entry == 0 ? nil : Int(entry) - 1
  }

  /// The number of the string, which is new if it equals the `count` before.
  mutating func insert(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Int {
    let slot = slot(bytes, range)
    if slots[slot] != 0 { return Int(slots[slot]) - 1 }
    for index in range { arena.append(bytes[index]) }
    ends.append(arena.count)
    slots[slot] = Int32(ends.count)
    if ends.count * 2 > slots.count { enlarge() }
    return ends.count - 1
  }

  /// The slot that holds the string, or the free one where it belongs.
  private func slot(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Int {
    let mask = slots.count - 1
    var slot = Int(truncatingIfNeeded: Self.hash(bytes, range)) & mask
    while slots[slot] != 0, !isEqual(Int(slots[slot]) - 1, bytes, range) { slot = (slot + 1) & mask }
    return slot
  }

  private func isEqual(_ index: Int, _ bytes: Span<UInt8>, _ other: Range<Int>) -> Bool {
    let own = range(index)
    guard own.count == other.count else { return false }
    for offset in 0..<own.count where arena[own.lowerBound + offset] != bytes[other.lowerBound + offset] {
      return false
    }
    return true
  }

  private mutating func enlarge() {
    slots = [Int32](repeating: 0, count: slots.count * 2)
    let all = arena
    for index in ends.indices {
      let slot = slot(all.span, range(index))
      slots[slot] = Int32(index + 1)
    }
  }

  /// FNV-1a, mixed so that the low bits depend on all bytes.
  static func hash(_ bytes: Span<UInt8>, _ range: Range<Int>) -> UInt64 {
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    for index in range { hash = (hash ^ UInt64(bytes[index])) &* 0x100_0000_01b3 }
    return hash ^ (hash >> 32)
  }
}
