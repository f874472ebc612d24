import Kernels

/// The rows of one virtual rank in memory: its whole range, or the window it is in.
final class Lane {
  let virtualRank: Int
  let range: Range<Int>
  /// Whether the memory holds the whole range, each row read once. Otherwise it holds one window after the other.
  let keepsRange: Bool
  /// Whether the rows of a window stay in the order in which they are read, whatever order they come in.
  private let keepsFileOrder: Bool

  /// The epoch it is in; -1 before the first.
  private var epoch = -1
  /// The order of that epoch.
  private(set) var order: EpochOrder?
  /// The window that `places` and, unless the range is kept, `buffer` are of; nil if they are of none.
  private(set) var window: Int?
  /// The slots of that window; empty if there is none.
  private(set) var windowSlots = 0..<0
  private let shuffled: Bool
  /// Where in `buffer` the row of each slot of the window is. Empty where they lie in the order of the slots: of the window, or, where the
  /// range is kept, of the file.
  private(set) var places: [Int32] = []
  /// The slot of each row of the window, counted from its first, while it is read.
  private var slotsOfRows: [Int32] = []
  /// Slots of the window whose rows may have been written over by what was read ahead.
  private var released = 0
  /// Slots that must be behind the training before the thread is told again: it reads blocks, not rows.
  private var releasedAtLast = 0
  let buffer: RowBuffer

  /// The rows of the range that are in `buffer`, where the range is kept.
  private var present = RowRanges()
  /// Whether those are all, and need no order: then nothing is left to do for any slots of any epoch.
  private var isSettled = false

  init(
    order: SampleOrder, virtualRank: Int, keepsRange: Bool, keepsFileOrder: Bool, columns: Int, targetsPerRow: Int
  ) {
    self.virtualRank = virtualRank
    self.range = order.range(ofVirtualRank: virtualRank)
    self.keepsRange = keepsRange
    self.keepsFileOrder = keepsFileOrder
    self.shuffled = order.shuffle
    let rows = keepsRange ? range.count : order.largestWindow(ofVirtualRank: virtualRank)
    self.buffer = RowBuffer(rows: rows, columns: columns, targetsPerRow: targetsPerRow)
  }

  /// Makes `epoch` the one that slots are of.
  func enter(epoch: Int, of sampleOrder: SampleOrder) {
    guard self.epoch != epoch else { return }
    self.epoch = epoch
    order = sampleOrder.order(ofVirtualRank: virtualRank, epoch: epoch)
    leaveWindow()
  }

  /// Brings window `index` of the epoch into memory. This is the one place where a training waits for rows.
  func load(window index: Int, with loader: RowLoader) throws(DataError) {
    guard window != index, let order else { return }
    leaveWindow()
    let pieces = order.window(index).pieces
    if keepsRange {
      for piece in pieces {
        for gap in present.gaps(in: piece) {
          try loader.load(
            gap, features: &buffer.features, targets: &buffer.targets, at: gap.lowerBound - range.lowerBound)
          present.insert(gap)
        }
      }
      isSettled = !shuffled && present.ranges == [range]
      if order.shuffled {
        order.places(ofWindow: index, into: &places)
        moveIntoRange(pieces)
      }
    } else if order.shuffled, keepsFileOrder {
      try Self.fill(buffer, with: pieces, loader)
      order.places(ofWindow: index, into: &places)
    } else if order.shuffled {
      try fillInOrder(of: index, order, with: pieces, loader)
    } else {
      places = []
      try Self.fill(buffer, with: pieces, loader)
    }
    enter(window: index, of: order)
  }

  /// Brings window `index` of the epoch into memory: read ahead by lane `lane` of `ahead`, or by `loader` where that was about to read
  /// another one.
  func load(window index: Int, with loader: RowLoader, ahead: ReadAhead, lane: Int) throws(DataError) {
    guard window != index, let order else { return }
    leaveWindow()
    if let found = try ahead.take(lane: lane, ReadAhead.Place(epoch: epoch, index: index)) {
      places = found.cells
      enter(window: index, of: order)
    } else {
      try load(window: index, with: loader)
      begin(ahead, lane: lane)
    }
  }

  /// Lets `ahead` read what follows the current window.
  func begin(_ ahead: ReadAhead, lane: Int) {
    guard let window, let order else { return }
    let place = ReadAhead.Place(epoch: epoch, index: window)
    let cells = places.isEmpty ? Array(0..<Int32(windowSlots.count)) : places
    ahead.begin(lane: lane, after: ReadAhead.Window(place: place, cells: cells), next: place.next(in: order))
  }

  /// Gives the rows of the slots before `slot` back; where they have been given back and are wanted again, the window must be read
  /// again.
  func release(before slot: Int, to ahead: ReadAhead, lane: Int) {
    guard window != nil else { return }
    guard slot >= released else { return leaveWindow() }
    released = min(slot, windowSlots.upperBound)
    // Sixteen times a window: the thread reads blocks.
    guard released - releasedAtLast > windowSlots.count / 16 else { return }
    releasedAtLast = released
    ahead.release(lane: lane, slots: released - windowSlots.lowerBound)
  }

  private func leaveWindow() {
    window = nil
    windowSlots = 0..<0
  }

  private func enter(window index: Int, of order: EpochOrder) {
    window = index
    windowSlots = order.slots(ofWindow: index)
    released = windowSlots.lowerBound
    releasedAtLast = released
  }

  /// Reads the rows of a window one behind the other into a buffer.
  private static func fill(_ buffer: RowBuffer, with pieces: [Range<Int>], _ loader: RowLoader) throws(DataError) {
    var row = 0
    for piece in pieces {
      try loader.load(piece, features: &buffer.features, targets: &buffer.targets, at: row)
      row += piece.count
    }
  }

  /// Reads the rows of a window, each to the place of its slot, so that batches lie one behind the other.
  private func fillInOrder(
    of index: Int, _ order: EpochOrder, with pieces: [Range<Int>], _ loader: RowLoader
  ) throws(DataError) {
    order.slots(ofWindow: index, into: &slotsOfRows, scratch: &places)
    places.removeAll(keepingCapacity: true)
    var row = 0
    for piece in pieces {
      try loader.scatter(
        piece, features: &buffer.features, targets: &buffer.targets, at: slotsOfRows, from: row)
      row += piece.count
    }
  }

  /// Turns places among the window's rows into places in the range.
  private func moveIntoRange(_ pieces: [Range<Int>]) {
    guard pieces.count > 1 || pieces.first != range else { return }
    var rows: [Int32] = []
    rows.reserveCapacity(places.count)
    for piece in pieces {
      rows.append(contentsOf: Int32(piece.lowerBound - range.lowerBound)..<Int32(piece.upperBound - range.lowerBound))
    }
    for index in places.indices { places[index] = rows[Int(places[index])] }
  }

  /// Whether the rows of `slots` are in memory as one window, or in the order of the file.
  func holds(_ slots: Range<Int>) -> Bool {
    isSettled || slots.lowerBound >= windowSlots.lowerBound && slots.upperBound <= windowSlots.upperBound
  }

  /// Where in `buffer` the rows of `slots` lie one behind the other in their order: the first of them. Nil if they do not.
  ///
  /// The windows of the slots must have been loaded: all of them if the range is kept, else the one they lie in.
  func contiguousRow(of slots: Range<Int>) -> Int? {
    if slots.isEmpty { return 0 }
    guard !places.isEmpty else {
      return keepsRange ? slots.lowerBound : slots.lowerBound - windowSlots.lowerBound
    }
    // A single row needs no neighbours; the rows of several are neighbours only in the order of the file.
    let first = places[slots.lowerBound - windowSlots.lowerBound]
    if slots.count == 1 { return Int(first) }
    guard !shuffled else { return nil }
    let last = places[slots.upperBound - windowSlots.lowerBound - 1]
    return Int(last) - Int(first) == slots.count - 1 ? Int(first) : nil
  }

  /// Which rows of `buffer` those of `slots` are, which lie in the loaded window.
  func rows(of slots: Range<Int>) -> RowSelection {
    precondition(holds(slots), "slots \(slots) of a window of \(windowSlots)")
    if let first = contiguousRow(of: slots) { return RowSelection(first: first, count: slots.count) }
    return RowSelection(
      places: places, slots.lowerBound - windowSlots.lowerBound..<slots.upperBound - windowSlots.lowerBound)
  }

  /// Copies the rows of `slots`, which lie in the loaded window, to row `row` of a batch.
  func copy(_ slots: Range<Int>, to batch: RowBuffer, row: Int, columns: Int, targetsPerRow: Int) {
    precondition(holds(slots), "slots \(slots) of a window of \(windowSlots)")
    if let first = contiguousRow(of: slots) {
      batch.features.copy(
        from: buffer.features, range: first * columns..<(first + slots.count) * columns, to: row * columns)
      batch.targets.copy(
        from: buffer.targets, range: first * targetsPerRow..<(first + slots.count) * targetsPerRow,
        to: row * targetsPerRow)
      return
    }
    let part = slots.lowerBound - windowSlots.lowerBound..<slots.upperBound - windowSlots.lowerBound
    batch.features.gather(rows: places, part, of: buffer.features, columns: columns, to: row)
    batch.targets.gather(rows: places, part, of: buffer.targets, columns: targetsPerRow, to: row)
  }
}
