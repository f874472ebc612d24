/// Where the rows of each split lie: the same on every rank.
struct RowIndex: Sendable {
  /// For each block: the rank that holds its rows, and the first of them among the rank's rows.
  private(set) var owners: [(rank: Int, firstRow: Int, rows: Int)] = []
  /// For each split: how many rows of it stand before each block, and at the end all of them.
  private(set) var before: [[Int]]

  /// - Parameters:
  ///   - counts: for each block, how many of its rows go to each split.
  ///   - shares: the blocks of each rank.
  init(counts: [[Int]], shares: [Range<Int>]) {
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

  /// The block that row `row` of a split stands in.
  func block(of row: Int, _ split: SplitName) -> Int {
    let before = before[split.place]
    var low = 0
    var high = before.count - 1
    // before[low] <= row < before[high]
    while high - low > 1 {
      let middle = (low + high) / 2
      if before[middle] <= row { low = middle } else { high = middle }
    }
    return low
  }
}
