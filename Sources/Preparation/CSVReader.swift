/// Reads a CSV file block by block: whole records at a time, never the file as a whole.
///
/// The memory it takes is that of a block, its fields' places, and the longest record.
struct CSVReader: ~Copyable {
  /// A column of the file, as its header names it.
  struct Header: Equatable, Sendable {
    var name: String
    var place: PreparationError.Place
  }

  let path: String
  private(set) var dialect = CSVDialect(delimiter: UInt8(ascii: ","))
  private(set) var header: [Header] = []
  /// The records of the last `next()`.
  private(set) var block = CSVBlock()
  /// How many bytes of the file have been read.
  private(set) var bytesRead = 0

  private let source: CSVSource
  private let largestRecord: Int
  /// How many bytes of the block's storage are filled, and how many of them have been handed out.
  private var filled = 0
  private var consumed = 0
  /// The line of the first byte that has not been handed out.
  private var line = 1
  private var isAtEnd = false
  private var pendingError: PreparationError?

  /// Opens a table and reads its header.
  ///
  /// - Parameters:
  ///   - path: the name for messages.
  ///   - delimiter: the byte between fields; nil finds out.
  ///   - blockBytes: how many bytes are read at a time.
  ///   - largestRecord: a record of more bytes is an error: most likely a quote was not closed.
  /// - Throws: `PreparationError` if the file cannot be read, is empty or no text, or its header is malformed.
  init(
    _ source: consuming CSVSource, path: String, delimiter: UInt8? = nil, blockBytes: Int = 1 << 20,
    largestRecord: Int = 1 << 26
  ) throws(PreparationError) {
    precondition(
      blockBytes > 0 && largestRecord >= blockBytes && largestRecord <= 1 << 30,
      "blocks of \(blockBytes) bytes, records of \(largestRecord)")
    self.source = source
    self.path = path
    self.largestRecord = largestRecord
    block.bytes = [UInt8](repeating: 0, count: max(blockBytes, 4))
    try fill()
    try refuseForeignFile()
    let mark: [UInt8] = [0xef, 0xbb, 0xbf]
    if filled >= mark.count, Array(block.bytes[0..<mark.count]) == mark { consumed = mark.count }
    dialect =
      delimiter.map { CSVDialect(delimiter: $0) }
      ?? CSVDialect.detected(in: block.bytes.span.extracting(consumed..<filled), isWhole: isAtEnd)
    guard try advance(limit: 1) else {
      throw PreparationError(.invalid, at: place(line: 1, column: 1), "the file is empty: not even a header")
    }
    try readHeader()
    block.layout.fields.removeAll(keepingCapacity: true)
    block.layout.starts.removeAll(keepingCapacity: true)
  }

  /// Goes on to the next records, which are then in `block`; false at the end of the file.
  ///
  /// A fault in the file is thrown when the records before it have been handed out.
  mutating func next() throws(PreparationError) -> Bool {
    try advance(limit: Int.max)
  }

  /// The error that a field holds something wrong, at its place in the file.
  func error(record: Int, field: CSVField, _ message: String, hint: String? = nil) -> PreparationError {
    let (line, column) = block.place(record: record, field: field)
    return PreparationError(.invalid, at: place(line: line, column: column), message, hint: hint)
  }

  /// The error that a byte of a record is wrong, at its place in the file.
  func error(record: Int, byte: Int, _ message: String, hint: String? = nil) -> PreparationError {
    let (line, column) = block.place(record: record, byte: byte)
    return PreparationError(.invalid, at: place(line: line, column: column), message, hint: hint)
  }

  private func place(line: Int, column: Int) -> PreparationError.Place {
    PreparationError.Place(path: path, line: line, column: column)
  }

  private mutating func advance(limit: Int) throws(PreparationError) -> Bool {
    if let pendingError { throw pendingError }
    while true {
      if consumed > 0, !isAtEnd { try refill() }
      var layout = CSVLayout()
      swap(&layout, &block.layout)
      layout.fields.removeAll(keepingCapacity: true)
      layout.starts.removeAll(keepingCapacity: true)
      let result = CSVTokenizer(delimiter: dialect.delimiter, isLast: isAtEnd, limit: limit).tokenize(
        block.bytes.span.extracting(0..<filled), from: consumed, line: line, into: &layout)
      swap(&layout, &block.layout)
      let isStuck = result.consumed == consumed && block.records == 0 && result.fault == nil
      consumed = result.consumed
      line = result.line
      if let fault = result.fault {
        let error = error(fault.kind, byte: fault.byte)
        if block.records == 0 { throw error }
        pendingError = error
      }
      if block.records > 0 { return true }
      if isAtEnd { return false }
      if isStuck { try grow() }
    }
  }

  /// Moves what was not handed out to the front and fills the rest from the file.
  private mutating func refill() throws(PreparationError) {
    let start = consumed
    filled -= start
    let rest = filled
    var bytes = block.bytes.mutableSpan
    for index in 0..<rest { bytes[index] = bytes[start + index] }
    consumed = 0
    try fill()
  }

  /// Makes room for a record that is longer than the block.
  private mutating func grow() throws(PreparationError) {
    guard block.bytes.count < largestRecord else {
      // Read as if the file ended here, the record says whether a quote is open.
      var layout = CSVLayout(columns: block.columns)
      let result = CSVTokenizer(delimiter: dialect.delimiter, isLast: true, limit: 1).tokenize(
        block.bytes.span.extracting(0..<filled), from: consumed, line: line, into: &layout)
      if let fault = result.fault { throw error(fault.kind, byte: fault.byte) }
      throw PreparationError(
        .invalid, at: place(line: line, column: 1), "a record of more than \(largestRecord) bytes",
        hint: "is this a CSV file?")
    }
    let size = min(block.bytes.count * 2, largestRecord)
    block.bytes.append(contentsOf: repeatElement(0, count: size - block.bytes.count))
    try fill()
  }

  /// Reads into the free part of the block.
  private mutating func fill() throws(PreparationError) {
    while filled < block.bytes.count, !isAtEnd {
      let count = try source.read(at: bytesRead, into: &block.bytes, from: filled)
      filled += count
      bytesRead += count
      if count == 0 { isAtEnd = true }
    }
  }

  /// The error for a fault in the record that `consumed` and `line` stand at.
  private func error(_ fault: CSVTokenizer.Fault, byte: Int) -> PreparationError {
    let bytes = block.bytes.span.extracting(0..<filled)
    let (line, column) = CSVBlock.place(of: byte, from: consumed, line: self.line, in: bytes)
    let place = place(line: line, column: column)
    switch fault {
    case .unterminatedQuote:
      return PreparationError(
        .invalid, at: place, "the quote that opens here is never closed",
        hint: "a quote inside a quoted field is written twice")
    case .textAfterQuote(let opened):
      let (line, column) = CSVBlock.place(of: opened, from: consumed, line: self.line, in: bytes)
      return PreparationError(
        .invalid, at: place, "text after a closing quote; the quote was opened in line \(line), column \(column)",
        hint: "a quote inside a quoted field is written twice")
    case .ragged(let fields):
      let mark = dialect.delimiter == UInt8(ascii: "\t") ? "a tab" : "'\(Character(UnicodeScalar(dialect.delimiter)))'"
      return PreparationError(
        .invalid, at: place,
        "this record has \(fields) \(fields == 1 ? "field" : "fields"), the header has \(block.columns)",
        hint: "fields are separated by \(mark) here; a field that holds one must stand in quotes")
    }
  }

  private mutating func readHeader() throws(PreparationError) {
    for column in 0..<block.columns {
      let field = block[0, column]
      if let byte = block.firstInvalidByte(in: field) {
        let (line, column) = block.place(record: 0, byte: byte)
        throw PreparationError(
          .invalid, at: place(line: line, column: column), "the header is not UTF-8", hint: Self.encodingHint)
      }
      let (line, character) = block.place(record: 0, field: field)
      let name = block.text(field).trimmed
      guard !name.isEmpty else {
        throw PreparationError(
          .invalid, at: place(line: line, column: character), "column \(column + 1) has no name",
          hint: "pandas writes its index as such a column: to_csv(..., index=False) leaves it out")
      }
      header.append(Header(name: name, place: place(line: line, column: character)))
    }
    var first: [String: Header] = [:]
    for column in header {
      if let earlier = first.updateValue(column, forKey: column.name) {
        throw PreparationError(
          .invalid, at: column.place,
          "column \(quoted(column.name)) is there twice; the first is in line \(earlier.place.line), column "
            + "\(earlier.place.column)")
      }
    }
  }

  static let encodingHint = "save the table as UTF-8"

  /// Refuses files that are known not to be CSV by how they start.
  private func refuseForeignFile() throws(PreparationError) {
    let known: [(start: [UInt8], message: String, hint: String?)] = [
      ([0xff, 0xfe], "this is UTF-16, not UTF-8", Self.encodingHint),
      ([0xfe, 0xff], "this is UTF-16, not UTF-8", Self.encodingHint),
      ([0x1f, 0x8b], "this is a gzip file in a gzip file, not CSV", "unpack it first: gzip -d"),
      ([0x50, 0x4b, 0x03, 0x04], "this is a zip file or a spreadsheet, not CSV", "export the table as CSV"),
      ([0x89, 0x48, 0x44, 0x46], "this is an HDF5 file, not CSV", "it can be trained on as it is"),
      ([0x50, 0x41, 0x52, 0x31], "this is a Parquet file, not CSV", "export the table as CSV"),
    ]
    for file in known where filled >= file.start.count && Array(block.bytes[0..<file.start.count]) == file.start {
      throw PreparationError(.invalid, at: place(line: 1, column: 1), file.message, hint: file.hint)
    }
  }
}
