internal import MPI

/// Finds where a table that is in time by a column is cut: the keys that so many rows come before, over all ranks.
struct TimeBorders {
  /// The keys of the rows of each of this rank's blocks, sorted.
  private var blocks: [[UInt64]] = []

  /// Takes note of the rows of the next block that stay.
  mutating func observe(_ clean: CleanBlock, column: Int) {
    blocks.append(clean.keptRows.map { RowDealer.timeKey(clean.block.columns[column], $0) }.sorted())
  }

  /// The border that `count` rows are before: the key of the first row behind it, and how many of its equals are before it.
  /// Collective.
  func border(after count: Int, _ ranks: borrowing some Ranks & ~Copyable) throws -> RowDealer.Border {
    // The least key that more than `count` rows are not above, found by halving.
    var (low, high) = (UInt64.min, UInt64.max)
    while low < high {
      let middle = low + (high - low) / 2
      let own = blocks.reduce(0) { $0 + Self.count(in: $1, upTo: middle) }
      let total = try ranks.allGather([own]).joined().reduce(0, +)
      if total > count { high = middle } else { low = middle + 1 }
    }
    let below = blocks.reduce(0) { $0 + (low == 0 ? 0 : Self.count(in: $1, upTo: low - 1)) }
    let total = try ranks.allGather([below]).joined().reduce(0, +)
    return RowDealer.Border(key: low, ties: count - total)
  }

  /// How many rows of each of this rank's blocks have the key.
  func ties(_ key: UInt64) -> [Int] {
    blocks.map { Self.count(in: $0, upTo: key) - (key == 0 ? 0 : Self.count(in: $0, upTo: key - 1)) }
  }

  private static func count(in sorted: [UInt64], upTo key: UInt64) -> Int {
    var (low, high) = (0, sorted.count)
    while low < high {
      let middle = (low + high) / 2
      if sorted[middle] <= key { low = middle + 1 } else { high = middle }
    }
    return low
  }
}
