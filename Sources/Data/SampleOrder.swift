/// Which row of the data set comes when.
///
/// The rows are cut into one contiguous range a virtual rank, and an epoch takes the ranges' rows in turn: position `p` is row
/// number `p / virtualRanks` (a *slot*) in the own order of virtual rank `p % virtualRanks`; the last positions, fewer than
/// there are virtual ranks, go to the ranges that have a row left. Step `t` is the positions `t * batch ..< (t + 1) * batch`:
/// every row once an epoch, every batch full but the last, and nothing to communicate.
///
/// The order depends on the seed, the epoch, the number of virtual ranks and the data (its rows, shards and chunks) alone; it
/// does not know how many ranks there are. From position to slot is arithmetic; from slot to row goes through `EpochOrder`,
/// which can be made for any epoch at any time, so a run resumes in the middle of an epoch.
public struct SampleOrder: Sendable, Equatable {
  /// The rows of one shard, which are read in blocks of `blockRows` (the last may be shorter).
  public struct Segment: Sendable, Equatable {
    public let rows: Int
    public let blockRows: Int

    public init(rows: Int, blockRows: Int) {
      precondition(rows >= 0 && blockRows > 0, "a segment of \(rows) rows in blocks of \(blockRows)")
      self.rows = rows
      self.blockRows = blockRows
    }
  }

  /// Bytes of decoded features that are shuffled together, unless told otherwise: 8 MiB.
  public static let defaultWindowBytes = 8 << 20

  /// Bytes of decoded features in a block where the file does not say how it is cut: 1 MiB.
  public static let blockBytes = 1 << 20

  /// Rows of the data set.
  public let rows: Int
  public let virtualRanks: Int
  public let seed: UInt64
  /// False: every virtual rank visits its range in the order of the file.
  public let shuffle: Bool
  /// Rows that a window holds at most, unless two blocks are more.
  public let windowRows: Int

  let segments: [Segment]
  /// First row of each segment, and the number of rows behind the last.
  let firstRows: [Int]
  /// Rows of the smallest range, ⌊rows / virtualRanks⌋.
  private let fullTurns: Int
  /// Ranges that have one row more than the smallest.
  private let longRanges: Int

  /// - Parameters:
  ///   - columns: feature values in a row, at least 1.
  ///   - windowBytes: bytes of decoded features (4 a value) that are shuffled together.
  public init(
    segments: [Segment], columns: Int, virtualRanks: Int, seed: UInt64, shuffle: Bool,
    windowBytes: Int = SampleOrder.defaultWindowBytes
  ) {
    precondition(columns > 0, "a row of \(columns) columns")
    precondition(virtualRanks > 0, "\(virtualRanks) virtual ranks")
    var firstRows = [0]
    firstRows.reserveCapacity(segments.count + 1)
    for segment in segments { firstRows.append(firstRows[firstRows.count - 1] + segment.rows) }
    self.segments = segments
    self.firstRows = firstRows
    self.rows = firstRows[firstRows.count - 1]
    self.virtualRanks = virtualRanks
    self.seed = seed
    self.shuffle = shuffle
    self.windowRows = max(1, windowBytes / 4 / columns)
    self.fullTurns = rows / virtualRanks
    self.longRanges = rows % virtualRanks
  }

  /// Rows a block has in a shard with `columns` values a row that is stored in chunks of `chunkRows` rows.
  ///
  /// A block is whole chunks, about 1 MiB of decoded features and at least one chunk; a shard that is not chunked, or whose
  /// chunks are larger than a window, is cut into blocks of 1 MiB wherever they fall.
  public static func blockRows(columns: Int, chunkRows: Int?) -> Int {
    let wanted = max(1, blockBytes / 4 / max(1, columns))
    guard let chunkRows, chunkRows > 0, chunkRows <= max(1, defaultWindowBytes / 4 / max(1, columns)) else {
      return wanted
    }
    return max(chunkRows, wanted / chunkRows * chunkRows)
  }

  // MARK: Positions and slots

  /// The rows of virtual rank `v`: ⌊rows · v / virtualRanks⌋ up to ⌊rows · (v + 1) / virtualRanks⌋.
  public func range(ofVirtualRank v: Int) -> Range<Int> {
    precondition(v >= 0 && v < virtualRanks, "virtual rank \(v) of \(virtualRanks)")
    return start(v)..<start(v + 1)
  }

  /// ⌊rows · v / virtualRanks⌋ without the product, which could overflow.
  private func start(_ v: Int) -> Int { fullTurns * v + longRangesBefore(v) }

  private func longRangesBefore(_ v: Int) -> Int { longRanges * v / virtualRanks }

  /// The slots of virtual rank `v` that fall into `positions` of an epoch. Empty where none does.
  ///
  /// The shares of all virtual ranks have together as many slots as there are positions.
  public func share(ofVirtualRank v: Int, positions: Range<Int>) -> Range<Int> {
    precondition(
      positions.lowerBound >= 0 && positions.upperBound <= rows, "positions \(positions) of an epoch of \(rows) rows")
    return slotsBefore(positions.lowerBound, of: v)..<slotsBefore(positions.upperBound, of: v)
  }

  /// Part `pass` of the share that `share(ofVirtualRank:positions:)` gives, cut into `passes` parts: a micro-batch.
  ///
  /// The parts follow each other and differ by one slot at most; some are empty where there are fewer slots than passes.
  public func share(ofVirtualRank v: Int, positions: Range<Int>, pass: Int, of passes: Int) -> Range<Int> {
    precondition(pass >= 0 && pass < passes, "pass \(pass) of \(passes)")
    let share = share(ofVirtualRank: v, positions: positions)
    guard passes > 1 else { return share }
    let (size, longer) = share.count.quotientAndRemainder(dividingBy: passes)
    let start = share.lowerBound + size * pass + min(pass, longer)
    return start..<start + size + (pass < longer ? 1 : 0)
  }

  /// Slots of virtual rank `v` whose position is smaller than `position`.
  private func slotsBefore(_ position: Int, of v: Int) -> Int {
    precondition(v >= 0 && v < virtualRanks, "virtual rank \(v) of \(virtualRanks)")
    let turnsEnd = fullTurns * virtualRanks
    guard position > turnsEnd else {
      let turns = position / virtualRanks
      return position % virtualRanks > v ? turns + 1 : turns
    }
    // Behind the full turns stands one row of each long range, in the order of the virtual ranks.
    let mine = longRangesBefore(v)
    let hasExtra = longRangesBefore(v + 1) > mine
    return hasExtra && position - turnsEnd > mine ? fullTurns + 1 : fullTurns
  }

  /// The virtual rank and the slot of it that stand at `position` of an epoch.
  public func place(ofPosition position: Int) -> (virtualRank: Int, slot: Int) {
    precondition(position >= 0 && position < rows, "position \(position) of an epoch of \(rows) rows")
    let turnsEnd = fullTurns * virtualRanks
    guard position >= turnsEnd else { return (position % virtualRanks, position / virtualRanks) }
    // The smallest v with ⌊longRanges · (v + 1) / virtualRanks⌋ > extra.
    let extra = position - turnsEnd
    return (((extra + 1) * virtualRanks - 1) / longRanges, fullTurns)
  }

  /// Steps of an epoch with `batch` rows a step; the last may have fewer. At least 1 where there are rows, 0 where not.
  public func steps(batch: Int) -> Int {
    precondition(batch > 0, "a batch of \(batch) rows")
    return rows / batch + (rows % batch == 0 ? 0 : 1)
  }

  /// The positions of step `step` of an epoch.
  public func positions(ofStep step: Int, batch: Int) -> Range<Int> {
    let steps = steps(batch: batch)
    precondition(step >= 0 && step < steps, "step \(step) of \(steps)")
    return step * batch..<min(rows, step * batch + min(batch, rows))
  }

  /// The largest share that a virtual rank has of any step of `batch` rows.
  public func largestShare(batch: Int) -> Int {
    precondition(batch > 0, "a batch of \(batch) rows")
    let turns = (batch - 1) / virtualRanks + 1
    // A step that spans the end of the full turns may meet a virtual rank once more.
    return min(turns + (longRanges > 0 ? 1 : 0), batch, fullTurns + (longRanges > 0 ? 1 : 0))
  }

  /// The order in which virtual rank `v` visits its rows in `epoch`.
  public func order(ofVirtualRank v: Int, epoch: Int) -> EpochOrder {
    EpochOrder(order: self, virtualRank: v, epoch: epoch)
  }

  /// Rows that the largest window of virtual rank `v` can have in any epoch: what a buffer for its windows must hold.
  public func largestWindow(ofVirtualRank v: Int) -> Int {
    let range = range(ofVirtualRank: v)
    var largestBlock = 0
    forEachBlock(of: range) { largestBlock = max(largestBlock, $0.count) }
    return min(range.count, max(windowRows, 2 * largestBlock) + largestBlock)
  }

  /// Calls `body` with the blocks of `range` in the order of the file: its pieces between borders of shards and of blocks.
  func forEachBlock(of range: Range<Int>, _ body: (Range<Int>) -> Void) {
    guard !range.isEmpty else { return }
    var segment = lastIndex(in: firstRows, notAbove: range.lowerBound)
    var row = range.lowerBound
    while row < range.upperBound {
      let segmentEnd = firstRows[segment + 1]
      let blockRows = segments[segment].blockRows
      let end = min(range.upperBound, segmentEnd)
      while row < end {
        let block = (row - firstRows[segment]) / blockRows
        // Compared before it is added up: a block may be declared larger than any integer sum allows.
        let left = blockRows - (row - firstRows[segment] - block * blockRows)
        let next = left < end - row ? row + left : end
        body(row..<next)
        row = next
      }
      segment += 1
    }
  }
}

/// The last index of ascending `values` whose value is not above `value`. `values` begins with one that is not.
func lastIndex(in values: [Int], notAbove value: Int) -> Int {
  var low = 0
  var high = values.count
  while high - low > 1 {
    let middle = (low + high) / 2
    if values[middle] <= value { low = middle } else { high = middle }
  }
  return low
}
