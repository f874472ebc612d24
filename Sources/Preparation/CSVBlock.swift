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
  /// The first byte of the field, its quote included.
  var firstByte: Int { Int(start) - (form == .plain ? 0 : 1) }
}

/// Where the records of a block and their fields lie.
struct CSVLayout: Sendable {
  /// The fields of all records, record after record; each record has `columns` of them.
  var fields: [CSVField] = []
  var columns = 0
  /// The first byte of each record.
  var starts: [Int32] = []

  mutating func removeAll() {
    fields.removeAll(keepingCapacity: true)
    starts.removeAll(keepingCapacity: true)
  }
}

/// Whole records of a file with the places of their fields: what a reader hands out at a time.
struct CSVBlock: Sendable {
  /// The bytes of the records, and after them what was read of the next ones.
  var bytes: [UInt8] = []
  /// Where the first of the bytes stands in the file.
  var offset = 0
  var quote: UInt8?
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
      position += bytes[position] == quote ? 2 : 1
    }
    return content
  }
}
