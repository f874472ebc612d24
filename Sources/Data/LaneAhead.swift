import Kernels

/// The window of a lane that the thread of a `ReadAhead` is reading.
final class LaneAhead {
  private let memory: RowBuffer
  private let virtualRank: Int
  private let order: SampleOrder

  /// The cells in the order in which rows take them: those that no window has, then those of the window before, slot by slot.
  private var cells: [Int32] = []
  private var unused = 0

  private var epochOrder: EpochOrder?
  /// The window that is being read; nil before the first of its blocks.
  private var place: ReadAhead.Place?
  /// Its rows, shard by shard.
  private var parts: [RowLoader.ShardRows] = []
  private var part = 0
  /// Rows whose features are read: of that part, and of the window.
  private var partRows = 0
  private var rows = 0

  init(_ lane: Lane, order: SampleOrder) {
    memory = lane.buffer
    virtualRank = lane.virtualRank
    self.order = order
  }

  /// Goes on behind a window that was brought into memory in another way.
  func begin(after window: ReadAhead.Window) {
    place = nil
    var isFree = [Bool](repeating: true, count: memory.capacity)
    for cell in window.cells { isFree[Int(cell)] = false }
    let free = (0..<Int32(memory.capacity)).filter { isFree[Int($0)] }
    unused = free.count
    cells = free + window.cells
  }

  /// How many slots of the current window must be given back before the next block of the window at `next` can be read.
  func slotsForNextBlock(of next: ReadAhead.Place, _ loader: RowLoader) -> Int {
    if place != next { open(next, loader) }
    return rows + block(loader).count - unused
  }

  private func open(_ next: ReadAhead.Place, _ loader: RowLoader) {
    place = next
    parts = inEpoch(next.epoch).window(next.index).pieces.flatMap { loader.shardRows(of: $0) }
    (part, partRows, rows) = (0, 0, 0)
  }

  private func inEpoch(_ epoch: Int) -> EpochOrder {
    if let epochOrder, epochOrder.epoch == epoch { return epochOrder }
    let made = order.order(ofVirtualRank: virtualRank, epoch: epoch)
    epochOrder = made
    return made
  }

  private func block(_ loader: RowLoader) -> Range<Int> { loader.block(of: parts[part], from: partRows) }

  /// Reads the next block; returns the window and what follows it if that was the last one.
  func readBlock(_ loader: RowLoader) throws(DataError) -> (window: ReadAhead.Window, next: ReadAhead.Place)? {
    guard let place else { preconditionFailure("a block of no window") }
    let block = block(loader)
    try loader.scatterFeatures(
      parts[part].part(block), into: &memory.features, at: cells, rows..<rows + block.count)
    partRows += block.count
    rows += block.count
    guard partRows == parts[part].rows.count else { return nil }
    // As without the thread: the targets of a part behind its features.
    try loader.scatterTargets(parts[part], into: &memory.targets, at: cells, rows - partRows..<rows)
    part += 1
    partRows = 0
    return part == parts.count ? close(place) : nil
  }

  private func close(_ place: ReadAhead.Place) -> (window: ReadAhead.Window, next: ReadAhead.Place) {
    let epochOrder = inEpoch(place.epoch)
    var found: [Int32] = []
    epochOrder.places(ofWindow: place.index, into: &found)
    for slot in found.indices { found[slot] = cells[Int(found[slot])] }
    let free = cells[rows...]
    unused = free.count
    cells = free + found
    self.place = nil
    return (ReadAhead.Window(place: place, cells: found), place.next(in: epochOrder))
  }
}

extension ReadAhead.Place {
  /// The place behind this one, which is in `order`.
  func next(in order: EpochOrder) -> ReadAhead.Place {
    index + 1 < order.windowCount
      ? ReadAhead.Place(epoch: epoch, index: index + 1) : ReadAhead.Place(epoch: epoch + 1, index: 0)
  }
}
