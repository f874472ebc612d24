internal import Files
internal import Kernels

/// The rows that a rank has made, put aside until it is known which shard each goes to: the first of them in memory, those that
/// find no room there in files beside the shards.
///
/// A row is its features and two numbers for its target: the value, and the code of the value in the rank's `TargetScan`.
final class RowStore {
  static let targetWidth = 2

  /// Rows that stay in memory.
  private final class Block {
    let rows: Range<Int>
    let features: FloatBuffer
    let targets: FloatBuffer

    init(_ rows: Range<Int>, _ features: borrowing FloatBuffer, _ targets: borrowing FloatBuffer, columns: Int) {
      // Pages of their own: what is forgotten goes back to the system.
      var ownFeatures = FloatBuffer(sharing: PageMemory(count: rows.count * columns))
      ownFeatures.copy(from: features, range: 0..<rows.count * columns)
      var ownTargets = FloatBuffer(count: rows.count * RowStore.targetWidth)
      ownTargets.copy(from: targets, range: 0..<rows.count * RowStore.targetWidth)
      self.rows = rows
      self.features = ownFeatures
      self.targets = ownTargets
    }
  }

  private(set) var rows = 0
  private let directory: String
  private let rank: Int
  private let columns: Int
  private let mostBytes: Int
  /// In the order of their rows; empty ranges are not there.
  private var blocks: [Block] = []
  private var bytes = 0
  /// The rows from this one on are in the files.
  private var firstInFiles: Int?
  private var features: RowFile?
  private var targets: RowFile?

  /// - Parameter mostBytes: what may stay in memory.
  init(directory: String, rank: Int, columns: Int, mostBytes: Int) {
    self.directory = directory
    self.rank = rank
    self.columns = columns
    self.mostBytes = mostBytes
  }

  /// Puts aside the first `count` rows of the buffers behind those that were before.
  func append(_ count: Int, features: borrowing FloatBuffer, targets: borrowing FloatBuffer) throws(PreparationError) {
    guard count > 0 else { return }
    let size = count * (columns + Self.targetWidth) * MemoryLayout<Float>.stride
    if firstInFiles == nil, bytes + size <= mostBytes {
      blocks.append(Block(rows..<rows + count, features, targets, columns: columns))
      bytes += size
    } else {
      let first = firstInFiles ?? rows
      firstInFiles = first
      try file(&self.features, RowSpill.featuresName(rank: rank), columns).write(
        features, count: count, at: rows - first)
      try file(&self.targets, RowSpill.targetsName(rank: rank), Self.targetWidth).write(
        targets, count: count, at: rows - first)
    }
    rows += count
  }

  private func file(_ file: inout RowFile?, _ name: String, _ width: Int) throws(PreparationError) -> RowFile {
    if let file { return file }
    let made = try RowFile(creating: FileSystem.join(directory, name), width: width)
    file = made
    return made
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
