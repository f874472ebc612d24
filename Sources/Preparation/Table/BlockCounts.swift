internal import MPI

/// Numbers of each block of a table, such as its rows of each class, known on all ranks.
struct BlockCounts: Sendable {
  /// The sums over the blocks before each block, and after the last one over all: [blocks + 1][width].
  let before: [[Int]]

  /// - Parameter own: those of this rank's blocks, `width` numbers each. Collective.
  init(_ own: [[Int]], width: Int, _ ranks: borrowing some Ranks & ~Copyable) throws {
    var sums = [[Int](repeating: 0, count: width)]
    for part in try ranks.allGather(own.flatMap { $0 }) {
      for start in stride(from: 0, to: part.count, by: width) {
        let last = sums[sums.count - 1]
        sums.append((0..<width).map { last[$0] + part[start + $0] })
      }
    }
    before = sums
  }

  var total: [Int] { before[before.count - 1] }

  /// The numbers of one block.
  subscript(block: Int) -> [Int] { zip(before[block + 1], before[block]).map { $0 - $1 } }
}
