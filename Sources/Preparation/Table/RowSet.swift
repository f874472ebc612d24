/// Some of the rows of a block, at one bit a row of it.
struct RowSet: Sendable {
  private var words: [UInt64] = []
  private(set) var count = 0

  func contains(_ row: Int) -> Bool { row / 64 < words.count && words[row / 64] >> UInt64(row % 64) & 1 == 1 }

  /// Adds a row that is not in the set.
  mutating func insert(_ row: Int) {
    while words.count <= row / 64 { words.append(0) }
    words[row / 64] |= 1 << UInt64(row % 64)
    count += 1
  }
}
