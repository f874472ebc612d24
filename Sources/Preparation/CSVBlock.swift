/// Where a field lies in the bytes of its block, without the quotes around it.
struct CSVField: Equatable, Sendable {
  enum Form: UInt8, Sendable {
    case plain
    /// Stood in quotes.
    case quoted
    /// Stood in quotes and holds doubled quotes, which stand for one each.
    case escaped
  }

  var start: Int32
  var end: Int32
  var form: Form

  var range: Range<Int> { Int(start)..<Int(end) }
  var isEmpty: Bool { start == end }
}

/// Where the records of a block and their fields lie.
struct CSVLayout: Sendable {
  /// The fields of all records, record after record; each record has `columns` of them.
  var fields: [CSVField] = []
  var columns = 0
  /// Where each record starts: first byte, and line of the file counted from 1.
  var starts: [(byte: Int32, line: Int)] = []
}

/// Whole records of a file with the places of their fields: what a reader hands out at a time.
struct CSVBlock: Sendable {
  /// The bytes of the records, and after them what was read of the next ones.
  var bytes: [UInt8] = []
  var layout = CSVLayout()

  var columns: Int { layout.columns }
  var records: Int { layout.starts.count }

  subscript(record: Int, column: Int) -> CSVField { layout.fields[record * layout.columns + column] }

  /// The text of a field with doubled quotes made single; malformed UTF-8 is repaired.
  func text(_ field: CSVField) -> String {
    String(decoding: content(field), as: UTF8.self)
  }

  /// The bytes of a field with doubled quotes made single.
  func content(_ field: CSVField) -> [UInt8] {
    guard field.form == .escaped else { return Array(bytes[field.range]) }
    var content: [UInt8] = []
    var position = Int(field.start)
    while position < Int(field.end) {
      content.append(bytes[position])
      position += bytes[position] == CSVDialect.quote ? 2 : 1
    }
    return content
  }

  /// The line and column where a field of `record` starts in the file, its quote included.
  func place(record: Int, field: CSVField) -> (line: Int, column: Int) {
    place(record: record, byte: Int(field.start) - (field.form == .plain ? 0 : 1))
  }

  /// The line and column of a byte of `record`. Found by reading the record again, since only errors ask for it.
  func place(record: Int, byte target: Int) -> (line: Int, column: Int) {
    CSVBlock.place(of: target, from: Int(layout.starts[record].byte), line: layout.starts[record].line, in: bytes.span)
  }

  /// The line and column of the byte `target`, where `start` is the first byte of line `line`.
  static func place(of target: Int, from start: Int, line: Int, in bytes: Span<UInt8>) -> (line: Int, column: Int) {
    var line = line
    var column = 1
    var position = start
    while position < target {
      let byte = bytes[position]
      position += 1
      let isPair = byte == CSVDialect.carriageReturn && position < bytes.count && bytes[position] == CSVDialect.lineFeed
      if byte == CSVDialect.lineFeed || byte == CSVDialect.carriageReturn && !isPair {
        line += 1
        column = 1
      } else if byte & 0xc0 != 0x80 {  // bytes that continue a character do not count
        column += 1
      }
    }
    return (line, column)
  }
}
