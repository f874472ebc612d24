internal import MPI

/// Finds rows that equal an earlier one in all columns, over all ranks.
///
/// Rows are compared by 128 bits of hash: that two different ones of a billion are taken for equal has a probability below
/// 10⁻²⁰. Takes 24 bytes a row, spread over the ranks.
struct RepeatedRows {
  /// What tells a row from others.
  private struct Hash: Hashable {
    let first: UInt64
    let second: UInt64
  }

  private var first: [UInt64] = []
  private var second: [UInt64] = []
  private var numbers: [Int] = []
  /// Tells the rows of one block from those of the next: place = block · this + row.
  private static let rowsOfBlock = 1 << 32

  /// Takes note of the rows of a block that stay.
  mutating func observe(_ clean: CleanBlock, block: Int) {
    var key = GroupKey()
    for row in clean.keptRows {
      key.removeAll()
      for column in clean.block.columns { key.append(column, row: row) }
      first.append(ByteTable.hash(key.bytes.span, 0..<key.bytes.count))
      second.append(Self.mixed(key.bytes.span))
      numbers.append(block * Self.rowsOfBlock + row)
    }
  }

  /// The rows of each block that equal one before them, of all ranks. Collective.
  func found(_ ranks: borrowing some Ranks & ~Copyable) throws -> [Int: [Int]] {
    let size = UInt64(ranks.size)
    var messages = [[UInt64]](repeating: [], count: ranks.size)
    for index in first.indices {
      messages[Int((first[index] >> 32) % size)] += [first[index], second[index], UInt64(numbers[index])]
    }
    var seen: Set<Hash> = []
    var repeated: [Int] = []
    // Ranks have the blocks in their order, so that of equal rows the earliest comes first.
    for message in try ranks.allToAll(messages) {
      for start in stride(from: 0, to: message.count, by: 3)
      where !seen.insert(Hash(first: message[start], second: message[start + 1])).inserted {
        repeated.append(Int(message[start + 2]))
      }
    }
    var found: [Int: [Int]] = [:]
    for number in try ranks.allGather(repeated).joined() {
      found[number / Self.rowsOfBlock, default: []].append(number % Self.rowsOfBlock)
    }
    return found
  }

  /// A second hash, which has nothing in common with the first: words of seven bytes through the finalizer of SplitMix.
  private static func mixed(_ bytes: Span<UInt8>) -> UInt64 {
    var hash = UInt64(bytes.count) &* 0x9e37_79b9_7f4a_7c15
    var word: UInt64 = 0
    for index in 0..<bytes.count {
      word = word << 8 | UInt64(bytes[index])
      if index % 7 == 6 || index == bytes.count - 1 {
        hash = (hash ^ word) &* 0xbf58_476d_1ce4_e5b9
        hash = (hash ^ (hash >> 27)) &* 0x94d0_49bb_1331_11eb
        hash ^= hash >> 31
        word = 0
      }
    }
    return hash
  }
}
