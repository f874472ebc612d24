public import Kernels

/// Hands out the batches of some virtual ranks, in the order of the training.
///
/// Opens only the shards that hold rows of its virtual ranks, and those when they are needed. Memory: one window for each
/// virtual rank and one batch; where all its rows together are small (`residentBytes`), or a window is a virtual rank's whole
/// range, they are read once and kept. Nothing is allocated for a batch after the first of its size.
///
/// Where not all rows are kept, a thread may read the next windows while the training works on the current ones (`ReadingAhead`); rows,
/// their order and what is thrown are the same.
///
/// Used by one thread at a time.
public final class BatchReader {
  /// Rows of all virtual ranks that take less than this in memory are kept: 16 MiB.
  public static let defaultResidentBytes = 16 << 20

  public let dataset: ShardedDataset
  public let order: SampleOrder
  /// The virtual ranks whose batches it hands out.
  public let virtualRanks: Range<Int>
  public var targetUse: TargetUse { loader.use }
  public var transform: FeatureTransform { loader.transform }

  private let loader: RowLoader
  private let lanes: [Lane]
  private var batch: RowBuffer
  private let filter = RowFilter()
  private let readingAhead: ReadingAhead
  /// The lanes that hold one window after the other, by their numbers among `lanes`, and what reads ahead for them once it has begun.
  private let streams: [Int]
  private var ahead: ReadAhead?
  /// No thread could be started, which is no reason to end a training.
  private var cannotReadAhead = false
  /// Floats of a row in the buffers; 0 for a part that is not read.
  private var columns: Int { loader.columns }
  private var targetsPerRow: Int { loader.targetsPerRow }

  /// Opens nothing yet.
  ///
  /// - Parameters:
  ///   - order: made from the same data set (`ShardedDataset.order`).
  ///   - parts: what to read of the rows. Of what is left out batches have empty buffers, in which rows take no room.
  ///   - residentBytes: rows are kept in memory if those of all virtual ranks take no more.
  ///   - nonFinite: batches have fewer rows than slots where rows are left out.
  ///   - readingAhead: when a thread reads the windows that come next.
  ///   - inPlace: batches are taken where their rows lie (`withRows`), so that no rows need be put in order.
  /// - Throws: `DataError` if the targets do not suit `targetUse`, or the columns the transform.
  public init(
    dataset: ShardedDataset, order: SampleOrder, virtualRanks: Range<Int>, targetUse: TargetUse,
    transform: FeatureTransform = .none, parts: RowParts = .all,
    residentBytes: Int = BatchReader.defaultResidentBytes, readingAhead: ReadingAhead = .never,
    nonFinite: NonFinite = .fail, inPlace: Bool = false
  ) throws(DataError) {
    precondition(order.rows == dataset.rows, "an order of \(order.rows) rows for a data set of \(dataset.rows)")
    precondition(
      virtualRanks.lowerBound >= 0 && virtualRanks.upperBound <= order.virtualRanks,
      "virtual ranks \(virtualRanks) of \(order.virtualRanks)")
    self.dataset = dataset
    self.order = order
    self.virtualRanks = virtualRanks
    let loader = try RowLoader(
      dataset: dataset, use: targetUse, transform: transform, parts: parts, nonFinite: nonFinite)
    self.loader = loader
    let (columns, targetsPerRow) = (loader.columns, loader.targetsPerRow)
    let rowBytes = 4 * (columns + targetsPerRow)
    let ownRows = virtualRanks.reduce(0) { $0 + order.range(ofVirtualRank: $1).count }
    let keepsAll = ownRows <= min(residentBytes / max(1, rowBytes), Int(Int32.max))
    let lanes = virtualRanks.map { v in
      let range = order.range(ofVirtualRank: v)
      let keeps = keepsAll || order.largestWindow(ofVirtualRank: v) == range.count
      return Lane(
        order: order, virtualRank: v, keepsRange: keeps, keepsFileOrder: inPlace, columns: columns,
        targetsPerRow: targetsPerRow)
    }
    batch = RowBuffer(rows: 0, columns: columns, targetsPerRow: targetsPerRow)
    self.readingAhead = readingAhead
    self.lanes = lanes
    streams = lanes.indices.filter { !lanes[$0].keepsRange && !lanes[$0].range.isEmpty }
  }

  /// Whether batches may have fewer rows than slots.
  public var leavesRowsOut: Bool { loader.nonFinite == .skipRow }

  /// Seconds spent reading from files, converting and checking so far, also by the thread that reads ahead.
  public var secondsReading: Double { (loader.effort.time + (ahead?.effort.time ?? .zero)) / .seconds(1) }

  /// Seconds of standing still until rows were there, so far.
  public var secondsWaiting: Double { (loader.effort.time + (ahead?.timeWaiting ?? .zero)) / .seconds(1) }

  /// Rows read from files so far; rows that were read again count again.
  public var rowsRead: Int { loader.effort.rows + (ahead?.effort.rows ?? 0) }

  /// Whether a thread reads ahead.
  public var isReadingAhead: Bool { ahead != nil }

  /// Indices of the shards that are open now.
  public var openShards: [Int] { loader.files.openShards }

  /// Makes room for batches of `rows` rows now rather than with the first of them.
  public func reserve(rows: Int) {
    guard batch.capacity < rows else { return }
    batch = RowBuffer(rows: rows, columns: columns, targetsPerRow: targetsPerRow)
  }

  /// Calls `body` with the rows in `slots` of virtual rank `v` in `epoch`.
  ///
  /// - Parameters:
  ///   - slots: see `SampleOrder.share`; may be empty.
  ///   - body: takes the buffer of the features and where in it the batch lies (rows × columns), and the buffer of the targets
  ///     and where in it the first of them is (`targetUse.floatsPerRow` a row). Both may be written over by the next call.
  /// - Throws: `DataError` if reading fails or finds a value that is not allowed; what `body` throws.
  public func withBatch<Result>(
    virtualRank v: Int, epoch: Int, slots: Range<Int>,
    _ body: (borrowing FloatBuffer, MatrixView, borrowing FloatBuffer, Int) throws -> Result
  ) throws -> Result {
    let lane = lane(of: v)
    check(slots, of: lane)
    enter(lane, epoch: epoch, slots)
    if let row = try contiguousRow(of: slots, in: lane) {
      return try give(
        lane.buffer.features, view(row: row, rows: slots.count), lane.buffer.targets, row * targetsPerRow, body)
    }
    reserve(rows: slots.count)
    try gather(slots, of: lane, at: 0)
    return try give(batch.features, view(row: 0, rows: slots.count), batch.targets, 0, body)
  }

  /// Calls `body` with the rows in `slots` of virtual rank `v` in `epoch`, where they lie: nothing is copied unless they are in
  /// several windows.
  ///
  /// - Parameters:
  ///   - slots: see `SampleOrder.share`; may be empty.
  ///   - body: takes the buffer of the features, which of its rows the batch is, and the buffer of the targets, of which it is the
  ///     same rows. Both may be written over by the next call.
  /// - Throws: `DataError` if reading fails or finds a value that is not allowed; what `body` throws.
  public func withRows<Result>(
    virtualRank v: Int, epoch: Int, slots: Range<Int>,
    _ body: (borrowing FloatBuffer, RowSelection, borrowing FloatBuffer) throws -> Result
  ) throws -> Result {
    let lane = lane(of: v)
    check(slots, of: lane)
    enter(lane, epoch: epoch, slots)
    if !lane.holds(slots), let epochOrder = lane.order, !slots.isEmpty {
      let window = epochOrder.windowIndex(containing: slots.lowerBound)
      if slots.upperBound <= epochOrder.slots(ofWindow: window).upperBound {
        try load(window: window, of: lane)
      }
    }
    if !slots.isEmpty, lane.holds(slots) {
      return try body(lane.buffer.features, lane.rows(of: slots), lane.buffer.targets)
    }
    return try withBatch(virtualRank: v, epoch: epoch, slots: slots) { features, view, targets, _ in
      try body(features, RowSelection(view), targets)
    }
  }

  private func lane(of v: Int) -> Lane {
    precondition(virtualRanks.contains(v), "virtual rank \(v), this reader has \(virtualRanks)")
    return lanes[v - virtualRanks.lowerBound]
  }

  /// Calls `body` once with rows of all virtual ranks of this reader, one virtual rank's rows behind the other's.
  ///
  /// - Parameter slots: the slots of each virtual rank, asked for twice; may be empty.
  /// - Throws: `DataError` if reading fails or finds a value that is not allowed; what `body` throws.
  public func withBatch<Result>(
    epoch: Int, slots: (_ virtualRank: Int) -> Range<Int>,
    _ body: (borrowing FloatBuffer, MatrixView, borrowing FloatBuffer, Int) throws -> Result
  ) throws -> Result {
    // One virtual rank's rows may need no copy.
    if virtualRanks.count == 1 {
      let v = virtualRanks.lowerBound
      return try withBatch(virtualRank: v, epoch: epoch, slots: slots(v), body)
    }
    var rows = 0
    for v in virtualRanks { rows += slots(v).count }
    reserve(rows: rows)
    var row = 0
    for lane in lanes {
      let own = slots(lane.virtualRank)
      check(own, of: lane)
      enter(lane, epoch: epoch, own)
      try gather(own, of: lane, at: row)
      row += own.count
    }
    return try give(batch.features, view(row: 0, rows: rows), batch.targets, 0, body)
  }

  /// Calls `body` once with the rows at `positions` of `epoch` that belong to virtual ranks of this reader, one virtual rank's
  /// rows behind the other's.
  ///
  /// - Parameters:
  ///   - positions: those of a step (`SampleOrder.positions`).
  ///   - pass: which of `passes` parts of each virtual rank's share to take: a micro-batch (`SampleOrder.share`).
  /// - Throws: `DataError` if reading fails or finds a value that is not allowed; what `body` throws.
  public func withBatch<Result>(
    epoch: Int, positions: Range<Int>, pass: Int = 0, of passes: Int = 1,
    _ body: (borrowing FloatBuffer, MatrixView, borrowing FloatBuffer, Int) throws -> Result
  ) throws -> Result {
    try withBatch(
      epoch: epoch, slots: { order.share(ofVirtualRank: $0, positions: positions, pass: pass, of: passes) }, body)
  }

  /// Calls `body` with the rows, without those that are left out.
  private func give<Result>(
    _ features: borrowing FloatBuffer, _ view: MatrixView, _ targets: borrowing FloatBuffer, _ offset: Int,
    _ body: (borrowing FloatBuffer, MatrixView, borrowing FloatBuffer, Int) throws -> Result
  ) throws -> Result {
    guard leavesRowsOut else { return try body(features, view, targets, offset) }
    return try filter.withFiniteRows(features, view, targets, offset, targetsPerRow: targetsPerRow, body)
  }

  private func check(_ slots: Range<Int>, of lane: Lane) {
    precondition(
      slots.lowerBound >= 0 && slots.upperBound <= lane.range.count,
      "slots \(slots) of virtual rank \(lane.virtualRank), which has \(lane.range.count)")
  }

  /// Lets `lane` come to `slots`: what is before them is no longer needed.
  private func enter(_ lane: Lane, epoch: Int, _ slots: Range<Int>) {
    lane.enter(epoch: epoch, of: order)
    guard let ahead, let stream = stream(of: lane), !slots.isEmpty else { return }
    lane.release(before: slots.lowerBound, to: ahead, lane: stream)
  }

  /// The number of `lane` among the streams.
  private func stream(of lane: Lane) -> Int? {
    lane.keepsRange ? nil : streams.firstIndex(of: lane.virtualRank - virtualRanks.lowerBound)
  }

  /// Brings a window into memory.
  private func load(window: Int, of lane: Lane) throws(DataError) {
    guard let stream = stream(of: lane) else { return try lane.load(window: window, with: loader) }
    if let ahead { return try lane.load(window: window, with: loader, ahead: ahead, lane: stream) }
    guard lane.window != window else { return }
    let clock = WorkClock()
    try lane.load(window: window, with: loader)
    guard !cannotReadAhead, readingAhead.begins(after: clock) else { return }
    do {
      ahead = try ReadAhead(lanes: streams.map { lanes[$0] }, order: order, loader: loader.another())
    } catch {
      cannotReadAhead = true
    }
    guard let ahead else { return }
    for (index, stream) in streams.enumerated() { lanes[stream].begin(ahead, lane: index) }
  }

  private func view(row: Int, rows: Int) -> MatrixView {
    MatrixView(offset: row * columns, rows: rows, columns: columns)
  }

  /// Loads what `slots` need, if they then lie one behind the other in the lane's own memory. Nil where they do not.
  private func contiguousRow(of slots: Range<Int>, in lane: Lane) throws(DataError) -> Int? {
    if !slots.isEmpty && !lane.holds(slots) {
      guard let epochOrder = lane.order, !order.shuffle || !lane.keepsRange || slots.count == 1 else { return nil }
      let first = epochOrder.windowIndex(containing: slots.lowerBound)
      let last = epochOrder.windowIndex(containing: slots.upperBound - 1)
      guard first == last || lane.keepsRange else { return nil }
      for window in first...last { try load(window: window, of: lane) }
    }
    return slots.isEmpty ? nil : lane.contiguousRow(of: slots)
  }

  /// Copies the rows of `slots` to row `row` of the batch, window by window.
  private func gather(_ slots: Range<Int>, of lane: Lane, at row: Int) throws(DataError) {
    if lane.holds(slots) {
      return lane.copy(slots, to: batch, row: row, columns: columns, targetsPerRow: targetsPerRow)
    }
    guard let order = lane.order, !slots.isEmpty else { return }
    var slot = slots.lowerBound
    var window = order.windowIndex(containing: slot)
    while slot < slots.upperBound {
      try load(window: window, of: lane)
      let end = min(slots.upperBound, order.slots(ofWindow: window).upperBound)
      lane.copy(
        slot..<end, to: batch, row: row + slot - slots.lowerBound, columns: columns,
        targetsPerRow: targetsPerRow)
      slot = end
      window += 1
    }
  }
}
