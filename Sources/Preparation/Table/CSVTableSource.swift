/// The rows of CSV files whose schema is known: their blocks are those of the text.
final class CSVTableSource: TableSource {
  let schema: Schema
  let name: String
  /// For the blocks that have such, how many fields of each column were taken for missing because they are malformed.
  private var malformed: [Int: [Int]] = [:]

  private let tables: InputTables
  private let starts: [Int]
  /// For each file, what makes columns of its records.
  private let parsers: [ColumnParser]
  /// The file that was read last stays open.
  private var open: (file: Int, reader: OpenReader)?

  /// A reader as a part of a value that can be copied.
  private final class OpenReader {
    var reader: CSVReader
    init(_ reader: consuming CSVReader) { self.reader = reader }
  }

  /// - Parameters:
  ///   - schema: with the columns of `table`.
  ///   - malformed: for each column what a text among its numbers or dates is.
  /// - Throws: `PreparationError` if a file lacks a column.
  init(_ table: RawTable, _ schema: Schema, malformed: [BadValueTreatment], missingValues: MissingValue)
    throws(PreparationError)
  {
    self.schema = schema
    tables = table.tables
    starts = table.starts
    var parsers: [ColumnParser] = []
    for file in table.tables.tables {
      parsers.append(
        try ColumnParser(
          schema, table: file, needed: Set(schema.columns.indices), malformed: malformed, missingValues: missingValues))
    }
    self.parsers = parsers
    name = InputTables.name(of: table.tables.paths[0])
  }

  var blocks: Int { tables.blocks.count }

  func bytes(of block: Int) -> Int { tables.blocks[block].range.count }

  func read(_ block: Int) throws(PreparationError) -> ColumnBlock {
    let file = tables.blocks[block].file
    let open = try reader(of: file)
    try open.reader.load(from: starts[block], before: tables.blocks[block].range.upperBound)
    while try open.reader.take(limit: .max) {}
    var found = [Int](repeating: 0, count: schema.columns.count)
    let rows = try parsers[file].parse(open.reader.block, malformed: &found)
    if found.contains(where: { $0 > 0 }) { malformed[block] = found }
    return rows
  }

  func malformed(in blocks: Range<Int>) -> [Int] {
    var counts = [Int](repeating: 0, count: schema.columns.count)
    for (block, found) in malformed where blocks.contains(block) {
      for index in counts.indices { counts[index] += found[index] }
    }
    return counts
  }

  private func reader(of file: Int) throws(PreparationError) -> OpenReader {
    if let open, open.file == file { return open.reader }
    let table = tables.tables[file]
    let reader = OpenReader(CSVReader(try CSVSource.open(table.path), table))
    open = (file, reader)
    return reader
  }
}
