import Kernels

/// The order in which one virtual rank visits its rows in one epoch: windows of blocks, shuffled within.
///
/// The blocks of the range are permuted by a seeded permutation and grouped, in that order, into windows of consecutive blocks
/// up to the window's size (at least two blocks where there are two). Within a window the rows are permuted. A range that fits
/// into one window is therefore simply permuted. Without shuffling the windows are pieces of the file, in its order.
public struct EpochOrder: Sendable {
  public struct Window: Sendable, Equatable {
    /// The slots of the virtual rank that this window fills.
    public let slots: Range<Int>
    /// The rows it holds, as ranges of the data set's rows: ascending, never touching each other.
    public let pieces: [Range<Int>]
  }

  public let virtualRank: Int
  public let epoch: Int
  /// The rows of the virtual rank.
  public let range: Range<Int>
  public let shuffled: Bool

  private let seed: UInt64
  /// The blocks of each window one after the other, ascending within a window.
  private let blocks: [Range<Int>]
  /// First slot of each window, and the number of slots behind the last.
  private let firstSlots: [Int]
  /// First block of each window, and the number of blocks behind the last.
  private let firstBlocks: [Int]

  init(order: SampleOrder, virtualRank: Int, epoch: Int) {
    precondition(epoch >= 0, "epoch \(epoch)")
    let range = order.range(ofVirtualRank: virtualRank)
    var blocks: [Range<Int>] = []
    order.forEachBlock(of: range) { blocks.append($0) }
    if order.shuffle {
      var stream = RandomStream(
        seed: order.seed, stream: Purpose.blocks, UInt64(virtualRank), UInt64(epoch))
      blocks = permutation(of: blocks.count, from: &stream).map { blocks[Int($0)] }
    }
    var firstSlots = [0]
    var firstBlocks = [0]
    var slots = 0
    var rows = 0
    for (index, block) in blocks.enumerated() {
      let open = index - firstBlocks[firstBlocks.count - 1]
      if open >= 2 && rows + block.count > order.windowRows {
        firstSlots.append(slots)
        firstBlocks.append(index)
        rows = 0
      }
      rows += block.count
      slots += block.count
    }
    // A single block at the end would be shuffled with nothing: it joins the window before.
    if firstBlocks.count > 1 && blocks.count - firstBlocks[firstBlocks.count - 1] == 1 {
      firstSlots.removeLast()
      firstBlocks.removeLast()
    }
    if !blocks.isEmpty {
      firstSlots.append(slots)
      firstBlocks.append(blocks.count)
    }
    for window in 0..<firstBlocks.count - 1 {
      blocks[firstBlocks[window]..<firstBlocks[window + 1]].sort { $0.lowerBound < $1.lowerBound }
    }
    self.virtualRank = virtualRank
    self.epoch = epoch
    self.range = range
    self.shuffled = order.shuffle
    self.seed = order.seed
    self.blocks = blocks
    self.firstSlots = firstSlots
    self.firstBlocks = firstBlocks
  }

  /// Windows of this epoch: 0 where the virtual rank has no rows.
  public var windowCount: Int { firstSlots.count - 1 }

  /// Whether one window holds the whole range, so that it is the same in every epoch but for the order of its rows.
  public var isWhole: Bool { windowCount <= 1 }

  /// The window that holds `slot`. By bisection.
  public func windowIndex(containing slot: Int) -> Int {
    precondition(slot >= 0 && slot < range.count, "slot \(slot) of \(range.count)")
    return lastIndex(in: firstSlots, notAbove: slot)
  }

  public func slots(ofWindow index: Int) -> Range<Int> { firstSlots[index]..<firstSlots[index + 1] }

  public func window(_ index: Int) -> Window {
    var pieces: [Range<Int>] = []
    for block in blocks[firstBlocks[index]..<firstBlocks[index + 1]] {
      if let last = pieces.last, last.upperBound == block.lowerBound {
        pieces[pieces.count - 1] = last.lowerBound..<block.upperBound
      } else {
        pieces.append(block)
      }
    }
    return Window(slots: slots(ofWindow: index), pieces: pieces)
  }

  /// Puts into `places`, for each slot of window `index` in turn, where its row stands when the window's pieces lie one behind
  /// the other. Keeps the array's storage.
  public func places(ofWindow index: Int, into places: inout [Int32]) {
    Self.resize(&places, countOfPlaces(index))
    Self.number(&places)
    guard shuffled else { return }
    var stream = stream(ofWindow: index)
    stream.shuffle(&places)
  }

  /// Puts into `slots`, for each row of the window's pieces in turn, which of the window's slots it comes in: the inverse of what
  /// `places(ofWindow:into:)` gives. Keeps the arrays' storage.
  ///
  /// - Parameter scratch: written over.
  func slots(ofWindow index: Int, into slots: inout [Int32], scratch: inout [Int32]) {
    Self.resize(&slots, countOfPlaces(index))
    guard shuffled else { return Self.number(&slots) }
    Self.resize(&scratch, slots.count)
    var stream = stream(ofWindow: index)
    stream.invertedShuffle(into: &slots, scratch: &scratch)
  }

  private func countOfPlaces(_ index: Int) -> Int {
    let count = slots(ofWindow: index).count
    precondition(count <= Int(Int32.max), "a window of \(count) rows, at most \(Int32.max)")
    return count
  }

  private func stream(ofWindow index: Int) -> RandomStream {
    RandomStream(seed: seed, stream: Purpose.rows, UInt64(virtualRank), UInt64(epoch), UInt64(index))
  }

  private static func resize(_ values: inout [Int32], _ count: Int) {
    if values.count > count { values.removeLast(values.count - count) }
    while values.count < count { values.append(0) }
  }

  /// Makes `values` the numbers from 0 on.
  private static func number(_ values: inout [Int32]) {
    var span = values.mutableSpan
    for index in span.indices { span[index] = Int32(truncatingIfNeeded: index) }
  }

  /// The row of the data set in each slot of window `index`.
  public func rows(ofWindow index: Int) -> [Int] {
    var places: [Int32] = []
    self.places(ofWindow: index, into: &places)
    let rows = window(index).pieces.flatMap { Array($0) }
    return places.map { rows[Int($0)] }
  }

  /// The row of the data set in each slot of the epoch. For tests and small ranges: as long as the range.
  public var rows: [Int] { (0..<windowCount).flatMap { rows(ofWindow: $0) } }
}

/// What a random stream is drawn for, so that no two uses of a seed share their numbers.
enum Purpose {
  static let blocks: UInt64 = 0x6461_7461_0001
  static let rows: UInt64 = 0x6461_7461_0002
}

/// A permutation of `0..<count`.
private func permutation(of count: Int, from stream: inout RandomStream) -> [Int32] {
  precondition(count <= Int(Int32.max), "\(count) blocks, at most \(Int32.max)")
  var values = Array(0..<Int32(count))
  stream.shuffle(&values)
  return values
}
