internal import Files
internal import Kernels

/// The rows that a rank has made, put aside until it is known which shard each goes to: the first of them in memory, those that
/// find no room there in files beside the shards.
///
/// A row is its features and two numbers for its target: the value, and the code of the value in the rank's `TargetScan`.
final class RowStore {
  static let targetWidth = 2

  /// Rows that stay in memory, in pages of their own: what is forgotten goes back to the system.
  private final class Block {
    var rows: Range<Int>
    var features: FloatBuffer
    var targets: FloatBuffer
    /// Rows that there is room for.
    let capacity: Int

    init(firstRow: Int, capacity: Int, columns: Int) {
      rows = firstRow..<firstRow
      self.capacity = capacity
      features = FloatBuffer(sharing: PageMemory(count: capacity * columns))
      targets = FloatBuffer(sharing: PageMemory(count: capacity * RowStore.targetWidth))
    }

    func lend(_ features: inout FloatBuffer, _ targets: inout FloatBuffer) {
      swap(&features, &self.features)
      swap(&targets, &self.targets)
    }
  }

  /// About how many bytes of rows come and go together.
  private static let blockBytes = 8 << 20
  /// About how many bytes go to the files at a time.
  private static let passingBytes = 1 << 20

  private(set) var rows = 0
  private let directory: String
  private let rank: Int
  private let columns: Int
  private let mostBytes: Int
  /// In the order of their rows.
  private var blocks: [Block] = []
  private var bytes = 0
  /// The rows from this one on are in the files.
  private var firstInFiles: Int?
  private var features: RowFile?
  private var targets: RowFile?
  private var passingFeatures = FloatBuffer(count: 0)
  private var passingTargets = FloatBuffer(count: 0)

  /// - Parameter mostBytes: what may stay in memory.
  init(directory: String, rank: Int, columns: Int, mostBytes: Int) {
    self.directory = directory
    self.rank = rank
    self.columns = columns
    self.mostBytes = mostBytes
  }

  /// Lends room for more rows, which `take` wants back: the rows of the buffers that are free, one at least.
  func lend(_ features: inout FloatBuffer, _ targets: inout FloatBuffer) -> Range<Int> {
    let isFull = blocks.last.map { $0.rows.count == $0.capacity } ?? true
    if firstInFiles == nil, isFull, !addBlock() { firstInFiles = rows }
    if firstInFiles == nil, let block = blocks.last {
      block.lend(&features, &targets)
      return block.rows.count..<block.capacity
    }
    // On their way to the files.
    let capacity = max(1, Self.passingBytes / rowBytes)
    if passingFeatures.count == 0 {
      passingFeatures = FloatBuffer(count: capacity * columns)
      passingTargets = FloatBuffer(count: capacity * Self.targetWidth)
    }
    swap(&features, &passingFeatures)
    swap(&targets, &passingTargets)
    return 0..<capacity
  }

  /// Takes lent buffers back, with `count` rows more than there were, and puts these behind all that were before.
  func take(_ count: Int, _ features: inout FloatBuffer, _ targets: inout FloatBuffer) throws(PreparationError) {
    defer { rows += count }
    guard let first = firstInFiles else {
      guard let block = blocks.last else { preconditionFailure("rows that nobody made room for") }
      block.lend(&features, &targets)
      block.rows = block.rows.lowerBound..<block.rows.upperBound + count
      return
    }
    swap(&features, &passingFeatures)
    swap(&targets, &passingTargets)
    guard count > 0 else { return }
    try file(&self.features, RowSpill.featuresName(rank: rank), columns).write(
      passingFeatures, count: count, at: rows - first)
    try file(&self.targets, RowSpill.targetsName(rank: rank), Self.targetWidth).write(
      passingTargets, count: count, at: rows - first)
  }

  /// Puts aside the first `count` rows of the buffers behind those that were before.
  func append(_ count: Int, features: borrowing FloatBuffer, targets: borrowing FloatBuffer) throws(PreparationError) {
    var done = 0
    while done < count {
      var roomForFeatures = FloatBuffer(count: 0)
      var roomForTargets = FloatBuffer(count: 0)
      let free = lend(&roomForFeatures, &roomForTargets)
      let end = min(count, done + free.count)
      roomForFeatures.copy(from: features, range: done * columns..<end * columns, to: free.lowerBound * columns)
      roomForTargets.copy(
        from: targets, range: done * Self.targetWidth..<end * Self.targetWidth, to: free.lowerBound * Self.targetWidth)
      try take(end - done, &roomForFeatures, &roomForTargets)
      done = end
    }
  }

  private var rowBytes: Int { (columns + Self.targetWidth) * MemoryLayout<Float>.stride }

  /// Makes room for more rows in memory; false if there is none.
  private func addBlock() -> Bool {
    let capacity = min(Self.blockBytes, mostBytes - bytes) / rowBytes
    guard capacity > 0 else { return false }
    blocks.append(Block(firstRow: rows, capacity: capacity, columns: columns))
    bytes += capacity * rowBytes
    return true
  }

  private func file(_ file: inout RowFile?, _ name: String, _ width: Int) throws(PreparationError) -> RowFile {
    if let file { return file }
    let made = try RowFile(creating: FileSystem.join(directory, name), width: width)
    file = made
    return made
  }

  /// Calls `body` with a buffer that holds the features of the rows `range`, and the place of the first in it: where they wait, or
  /// else in `room`.
  func withFeatures(
    _ range: Range<Int>, room: inout FloatBuffer,
    _ body: (borrowing FloatBuffer, Int) throws(PreparationError) -> Void
  ) throws(PreparationError) {
    let index = block(of: range.lowerBound)
    if index < blocks.count {
      let block = blocks[index]
      if block.rows.lowerBound <= range.lowerBound, range.upperBound <= block.rows.upperBound {
        return try body(block.features, range.lowerBound - block.rows.lowerBound)
      }
    }
    room.reserve(range.count * columns)
    try features(range, into: &room)
    try body(room, 0)
  }

  /// Reads the features of the rows `range` to the start of `buffer`.
  func features(_ range: Range<Int>, into buffer: inout FloatBuffer) throws(PreparationError) {
    let columns = columns
    try read(range, features, into: &buffer) { (block, range, buffer, place) in
      buffer.copy(
        from: block.features, range: range.lowerBound * columns..<range.upperBound * columns, to: place * columns)
    }
  }

  /// Reads the values and codes of the targets of the rows `range` to the start of `buffer`.
  func targets(_ range: Range<Int>, into buffer: inout FloatBuffer) throws(PreparationError) {
    let width = Self.targetWidth
    try read(range, targets, into: &buffer) { (block, range, buffer, place) in
      buffer.copy(from: block.targets, range: range.lowerBound * width..<range.upperBound * width, to: place * width)
    }
  }

  /// - Parameter copy: copies the rows of a block, counted from its first, to a row of the buffer.
  private func read(
    _ range: Range<Int>, _ file: RowFile?, into buffer: inout FloatBuffer,
    _ copy: (Block, Range<Int>, inout FloatBuffer, Int) -> Void
  ) throws(PreparationError) {
    precondition(range.upperBound <= rows, "rows \(range) of \(rows)")
    let border = firstInFiles ?? rows
    var index = block(of: range.lowerBound)
    var row = range.lowerBound
    while row < min(range.upperBound, border) {
      let block = blocks[index]
      precondition(block.rows.contains(row), "row \(row) has been forgotten")
      let end = min(range.upperBound, block.rows.upperBound)
      copy(block, row - block.rows.lowerBound..<end - block.rows.lowerBound, &buffer, row - range.lowerBound)
      row = end
      index += 1
    }
    guard row < range.upperBound else { return }
    try file?.read(row - border..<range.upperBound - border, into: &buffer, at: row - range.lowerBound)
  }

  /// The block in memory that a row is in, or the number of blocks.
  private func block(of row: Int) -> Int {
    var (low, high) = (0, blocks.count)
    while low < high {
      let middle = (low + high) / 2
      if blocks[middle].rows.upperBound <= row { low = middle + 1 } else { high = middle }
    }
    return low
  }

  /// Forgets the rows before `row`, which nobody reads any more, so that what is written next finds room.
  func forget(before row: Int) {
    let count = block(of: row)
    blocks.removeFirst(count)
  }
}
