internal import MPI

/// Finds where rows that are ordered by keys are cut: the keys that so many of them come before, over all ranks.
struct KeyBorders {
  struct Border: Equatable, Sendable {
    var key: UInt64
    /// So many rows with this key, in their order, are before the border.
    var ties: Int
  }

  /// The keys of the rows of each of this rank's blocks, sorted.
  private var blocks: [[UInt64]] = []

  /// Takes note of the rows of the next block.
  mutating func observe(_ keys: [UInt64]) { blocks.append(keys.sorted()) }

  /// The border that `count` rows are before: the key of the first row behind it, and how many of its equals are before it.
  /// Collective.
  func border(after count: Int, _ ranks: borrowing some Ranks & ~Copyable) throws -> Border {
    try Self.borders(of: [self], after: [count], ranks)[0]
  }

  /// The borders of several sets of rows that `counts` of their rows are before. Collective.
  static func borders(
    of sets: [KeyBorders], after counts: [Int], _ ranks: borrowing some Ranks & ~Copyable
  ) throws -> [Border] {
    // The least key that more than `count` rows are not above, found by halving.
    var low = [UInt64](repeating: .min, count: sets.count)
    var high = [UInt64](repeating: .max, count: sets.count)
    while let width = zip(low, high).map({ $1 - $0 }).max(), width > 0 {
      let middle = zip(low, high).map { $0 + ($1 - $0) / 2 }
      let totals = try ranks.sums(sets.indices.map { sets[$0].count(upTo: middle[$0]) })
      for index in sets.indices where low[index] < high[index] {
        if totals[index] > counts[index] { high[index] = middle[index] } else { low[index] = middle[index] + 1 }
      }
    }
    let below = try ranks.sums(sets.indices.map { sets[$0].count(below: low[$0]) })
    return sets.indices.map { Border(key: low[$0], ties: counts[$0] - below[$0]) }
  }

  /// How many rows of each of this rank's blocks have the key.
  func ties(_ key: UInt64) -> [Int] {
    blocks.map { Self.count(in: $0, upTo: key) - (key == 0 ? 0 : Self.count(in: $0, upTo: key - 1)) }
  }

  private func count(upTo key: UInt64) -> Int { blocks.reduce(0) { $0 + Self.count(in: $1, upTo: key) } }
  private func count(below key: UInt64) -> Int { key == 0 ? 0 : count(upTo: key - 1) }

  private static func count(in sorted: [UInt64], upTo key: UInt64) -> Int {
    var (low, high) = (0, sorted.count)
    while low < high {
      let middle = (low + high) / 2
      if sorted[middle] <= key { low = middle + 1 } else { high = middle }
    }
    return low
  }
}
