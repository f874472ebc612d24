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
    private(set) var rows: Range<Int>
    private(set) var features: FloatBuffer
    private(set) var targets: FloatBuffer
    /// Rows that there is room for.
    let capacity: Int
    private let columns: Int

    init(firstRow: Int, capacity: Int, columns: Int) {
      rows = firstRow..<firstRow
      self.capacity = capacity
      self.columns = columns
      features = FloatBuffer(sharing: PageMemory(count: capacity * columns))
      targets = FloatBuffer(sharing: PageMemory(count: capacity * RowStore.targetWidth))
    }

    /// Takes rows from the first of `range` on, as many as find room; returns how many.
    func append(_ range: Range<Int>, _ features: borrowing FloatBuffer, _ targets: borrowing FloatBuffer) -> Int {
      let count = min(range.count, capacity - rows.count)
      func copy(_ source: borrowing FloatBuffer, to buffer: inout FloatBuffer, width: Int) {
        buffer.copy(
          from: source, range: range.lowerBound * width..<(range.lowerBound + count) * width, to: rows.count * width)
      }
      copy(features, to: &self.features, width: columns)
      copy(targets, to: &self.targets, width: RowStore.targetWidth)
      rows = rows.lowerBound..<rows.upperBound + count
      return count
    }
  }

  /// About how many bytes of rows come and go together.
  private static let blockBytes = 8 << 20

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

  /// - Parameter mostBytes: what may stay in memory.
  init(directory: String, rank: Int, columns: Int, mostBytes: Int) {
    self.directory = directory
    self.rank = rank
    self.columns = columns
    self.mostBytes = mostBytes
  }

  /// Puts aside the first `count` rows of the buffers behind those that were before.
  func append(_ count: Int, features: borrowing FloatBuffer, targets: borrowing FloatBuffer) throws(PreparationError) {
    var done = 0
    while done < count, firstInFiles == nil {
      if let block = blocks.last, block.rows.count < block.capacity {
        let taken = block.append(done..<count, features, targets)
        done += taken
        rows += taken
      } else if !addBlock() {
        firstInFiles = rows
      }
    }
    guard done < count, let first = firstInFiles else { return }
    try file(&self.features, RowSpill.featuresName(rank: rank), columns).write(
      features, from: done, count: count - done, at: rows - first)
    try file(&self.targets, RowSpill.targetsName(rank: rank), Self.targetWidth).write(
      targets, from: done, count: count - done, at: rows - first)
    rows += count - done
  }

  /// Makes room for more rows in memory; false if there is none.
  private func addBlock() -> Bool {
    let rowBytes = (columns + Self.targetWidth) * MemoryLayout<Float>.stride
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
