public import MPI

/// Where the records of a CSV file start, found by all ranks together: so each of them can read any part of the file.
///
/// The text is cut into blocks that are the same on any number of ranks. Memory: two numbers a block.
public struct RecordIndex: Sendable {
  /// The byte that the first record of each block starts at.
  private let starts: [Int]
  /// How many records stand before each block, and at the end all of them.
  private let before: [Int]
  /// Bytes of the file.
  public let bytes: Int

  /// Reads the file, each rank a part of it. Collective.
  ///
  /// - Parameters:
  ///   - delimiter: the byte between fields; nil finds out.
  ///   - dialect: everything else about the text.
  ///   - blockBytes: about how many bytes make a block.
  /// - Throws: `PreparationError`, the same on every rank, if the file cannot be read or is malformed; or `MPIError`.
  public init(
    path: String, delimiter: UInt8?, dialect: CSVDialect = CSVDialect(), blockBytes: Int = 1 << 20,
    on ranks: borrowing some Ranks & ~Copyable
  ) throws {
    var request = PreparationRequest(inputs: [path], target: "", output: "")
    request.delimiter = delimiter
    request.dialect = dialect
    request.blockBytes = blockBytes
    let tables = try InputTables(request, on: ranks)
    let share = TextShare(tables, rank: ranks.rank, ranks: ranks.size)
    let scan = try share.readFirst(ranks) { () throws(PreparationError) in RecordScan() }.visitor
    guard let scan else { preconditionFailure("a reading without an error has a visitor") }
    starts = try ranks.allGather(scan.starts).flatMap { $0 }
    var before = [0]
    for records in try ranks.allGather(scan.records).joined() { before.append((before.last ?? 0) + records) }
    self.before = before
    bytes = tables.totalBytes
  }

  public var blocks: Int { starts.count }
  public var rows: Int { before.last ?? 0 }

  /// The byte that the first record of a block starts at; behind the last block, a place that no record starts behind.
  public func start(of block: Int) -> Int { block < blocks ? starts[block] : .max }

  /// How many rows stand before a block.
  public func rows(before block: Int) -> Int { before[block] }

  /// The block that a row, which is there, stands in.
  public func block(of row: Int) -> Int {
    precondition(row >= 0 && row < rows, "row \(row) of \(rows)")
    var (low, high) = (0, blocks)
    while low < high {
      let middle = (low + high) / 2
      if before[middle + 1] <= row { low = middle + 1 } else { high = middle }
    }
    return low
  }

  /// The last block that has at least `count` rows from its start up to that of `block`; the first one where there are not so many.
  public func block(with count: Int, before block: Int) -> Int {
    var first = block
    while first > 0, before[block] - before[first] < count { first -= 1 }
    return first
  }
}

/// Counts the records of blocks.
private final class RecordScan: BlockVisitor {
  private(set) var starts: [Int] = []
  private(set) var records: [Int] = []

  func visit(_ block: Int, _ reader: inout CSVReader) throws(PreparationError) {
    starts.append(reader.position)
    while try reader.take(limit: .max) {}
    records.append(reader.block.records)
  }
}
