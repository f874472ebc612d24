internal import Data
internal import Files
internal import MPI

/// A piece of the text of the inputs: the records that start in it belong to it.
struct TextBlock: Equatable, Sendable {
  /// The number of the file.
  var file: Int
  /// Bytes of the file. The first record starts there or behind, where the last one of the block before ends.
  var range: Range<Int>
  /// It begins behind the header, so that its first record starts with its first byte.
  var isFirst: Bool
}

/// The inputs of a preparation, one behind the other as one table, and the blocks that their text is cut into.
///
/// The blocks are the same on any number of ranks. Whatever depends on where sums begin and end is made block by block.
struct InputTables: Equatable, Sendable {
  private(set) var tables: [CSVTable]
  /// Bytes of each file.
  private(set) var sizes: [Int]
  private(set) var blocks: [TextBlock] = []

  /// Opens the inputs and reads their headers.
  /// - Throws: `PreparationError` if an input is not there or cannot be read, or its header is malformed.
  init(_ request: PreparationRequest) throws(PreparationError) {
    tables = []
    sizes = []
    // Found before anything is read: the last of many files may be mistyped.
    for path in request.inputs { sizes.append(try CSVSource.open(path).size()) }
    for path in request.inputs {
      let reader = try CSVReader(
        CSVSource.open(path), path: path, delimiter: request.delimiter, dialect: request.dialect)
      tables.append(reader.table)
    }
    cut(request.blockBytes)
  }

  /// Opens the inputs on rank 0, for all ranks. Collective.
  init(_ request: PreparationRequest, on ranks: borrowing some Ranks & ~Copyable) throws {
    try self.init(
      decoding: ranks.fromRoot { () throws(PreparationError) in
        try InputTables(request).encoded(blockBytes: request.blockBytes)
      })
  }

  private mutating func cut(_ blockBytes: Int) {
    for (file, table) in tables.enumerated() {
      for start in stride(from: table.firstByte, to: sizes[file], by: blockBytes) {
        blocks.append(
          TextBlock(
            file: file, range: start..<min(start + blockBytes, sizes[file]), isFirst: start == table.firstByte))
      }
    }
  }

  var paths: [String] { tables.map(\.path) }
  var totalBytes: Int { sizes.reduce(0, +) }

  /// The name of a data set that is made of the file at `path`: that of the file without its extension.
  static func name(of path: String) -> String {
    let file = FileSystem.name(of: path)
    guard let point = file.lastIndex(of: "."), point != file.startIndex else { return file }
    return String(file[..<point])
  }

  /// The blocks of one rank: a run of them, about as many as every other rank has.
  func share(of rank: Int, among ranks: Int) -> Range<Int> {
    blocks.count * rank / ranks..<blocks.count * (rank + 1) / ranks
  }

  func encoded(blockBytes: Int) -> [UInt8] {
    var writer = ByteWriter()
    writer.write(blockBytes)
    writer.write(list: Array(zip(tables, sizes))) { writer, file in
      file.0.write(to: &writer)
      writer.write(file.1)
    }
    return writer.bytes
  }

  init(decoding bytes: [UInt8]) throws(DataError) {
    var reader = ByteReader(bytes)
    let blockBytes = try reader.readInt()
    let files = try reader.readList { (reader) throws(DataError) in
      (try CSVTable(from: &reader), try reader.readInt())
    }
    try reader.finish()
    tables = files.map(\.0)
    sizes = files.map(\.1)
    cut(blockBytes)
  }
}

extension CSVTable {
  func write(to writer: inout ByteWriter) {
    writer.write(path)
    for byte in [dialect.delimiter, dialect.decimal] { writer.write(Int(byte)) }
    for byte in [dialect.quote, dialect.thousands, dialect.comment] { writer.write(byte.map { Int($0) }) }
    writer.write(dialect.hasHeader)
    writer.write(list: header) { writer, column in
      writer.write(column.name)
      writer.write(column.place.line)
      writer.write(column.place.column)
    }
    writer.write(firstByte)
  }

  init(from reader: inout ByteReader) throws(DataError) {
    func byte(_ value: Int) -> UInt8 { UInt8(truncatingIfNeeded: value) }
    let path = try reader.readString()
    self.path = path
    dialect = CSVDialect(delimiter: byte(try reader.readInt()))
    dialect.decimal = byte(try reader.readInt())
    dialect.quote = try reader.readOptional { (reader) throws(DataError) in byte(try reader.readInt()) }
    dialect.thousands = try reader.readOptional { (reader) throws(DataError) in byte(try reader.readInt()) }
    dialect.comment = try reader.readOptional { (reader) throws(DataError) in byte(try reader.readInt()) }
    dialect.hasHeader = try reader.readBool()
    header = try reader.readList { (reader) throws(DataError) in
      Header(
        name: try reader.readString(),
        place: PreparationError.Place(path: path, line: try reader.readInt(), column: try reader.readInt()))
    }
    firstByte = try reader.readInt()
  }
}
