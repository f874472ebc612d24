/// Where the rows of each split lie: the same on every rank.
struct RowIndex: Sendable {
  /// For each block: the rank that holds its rows, and the first of them among the rank's rows.
  private(set) var owners: [(rank: Int, firstRow: Int, rows: Int)] = []
  /// For each split: how many rows of it stand before each block, and at the end all of them.
  private(set) var before: [[Int]]
  /// The blocks of each rank.
  let shares: [Range<Int>]

  /// - Parameters:
  ///   - counts: for each block, how many of its rows go to each split.
  ///   - shares: the blocks of each rank.
  init(counts: [[Int]], shares: [Range<Int>]) {
    self.shares = shares
    before = SplitName.allCases.map { _ in [0] }
    for (rank, share) in shares.enumerated() {
      var firstRow = 0
      for block in share {
        for split in before.indices { before[split].append((before[split].last ?? 0) + counts[block][split]) }
        let rows = counts[block].reduce(0, +)
        owners.append((rank, firstRow, rows))
        firstRow += rows
      }
    }
  }

  /// The rows of all blocks in a split.
  func rows(_ split: SplitName) -> Int { before[split.place].last ?? 0 }

  /// The numbers, among the rows of a split, of those in a block.
  func numbers(of block: Int, _ split: SplitName) -> Range<Int> {
    before[split.place][block]..<before[split.place][block + 1]
  }

  /// How many rows of a split stand before those of a rank.
  func rows(before rank: Int, _ split: SplitName) -> Int { before[split.place][shares[rank].lowerBound] }
}
