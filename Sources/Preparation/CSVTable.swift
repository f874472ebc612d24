/// What a CSV file says before its first row: its dialect and its columns.
struct CSVTable: Equatable, Sendable {
  /// A column of the file, as its header names it.
  struct Header: Equatable, Sendable {
    var name: String
    var place: PreparationError.Place
  }

  var path: String
  var dialect: CSVDialect
  var header: [Header] = []
  /// The byte behind the header, where the rows begin.
  var firstByte = 0

  /// How many bytes are looked at to find the dialect.
  private static let sampleBytes = 1 << 20

  /// Reads the header of the file in `window`.
  /// - Throws: `PreparationError` if the file cannot be read, is empty or no text, or its header is malformed.
  init(
    _ window: inout TextWindow, path: String, delimiter: UInt8?, dialect: CSVDialect, largestRecord: Int
  ) throws(PreparationError) {
    self.path = path
    self.dialect = dialect
    try window.move(to: 0, count: Self.sampleBytes)
    try refuseForeignFile(window.bytes.span.extracting(0..<window.filled))
    let start = TextCursor.markBytes(window.bytes.span.extracting(0..<window.filled))
    self.dialect.delimiter =
      delimiter
      ?? dialect.detectedDelimiter(in: window.bytes.span.extracting(start..<window.filled), isWhole: window.isAtEnd)
    var layout = CSVLayout()
    var result: CSVTokenizer.Result
    while true {
      let isWhole = window.isAtEnd || window.filled >= largestRecord
      result = CSVTokenizer(dialect: self.dialect, isLast: isWhole, limit: 1).tokenize(
        window.bytes.span.extracting(0..<window.filled), from: start, into: &layout)
      guard layout.starts.isEmpty, result.fault == nil, !isWhole else { break }
      try window.fill(min(2 * window.filled, largestRecord))
    }
    var block = CSVBlock(bytes: window.bytes, quote: dialect.quote, layout: layout)
    if let fault = result.fault {
      func place(_ byte: Int) -> PreparationError.Place {
        var cursor = TextCursor()
        cursor.pass(block.bytes.span, start..<byte)
        return PreparationError.Place(path: path, line: cursor.line, column: cursor.column)
      }
      let opened: PreparationError.Place? = if case .textAfterQuote(let byte) = fault.kind { place(byte) } else { nil }
      throw PreparationError(
        fault.kind, at: place(fault.byte), opened: opened, dialect: self.dialect, columns: layout.columns)
    }
    guard block.records > 0 else {
      throw PreparationError(
        .invalid, at: PreparationError.Place(path: path, line: 1, column: 1), "the file is empty: not even a header")
    }
    try readHeader(&block, from: start)
    firstByte = dialect.hasHeader ? result.consumed : start
  }

  private mutating func readHeader(_ block: inout CSVBlock, from start: Int) throws(PreparationError) {
    var cursor = TextCursor()
    var passed = start
    func place() -> PreparationError.Place {
      PreparationError.Place(path: path, line: cursor.line, column: cursor.column)
    }
    for column in 0..<block.columns {
      let field = block[0, column]
      cursor.pass(block.bytes.span, passed..<field.firstByte)
      passed = field.firstByte
      guard dialect.hasHeader else {
        header.append(Header(name: "x\(column + 1)", place: place()))
        continue
      }
      if let byte = block.firstInvalidByte(in: field) {
        cursor.pass(block.bytes.span, passed..<byte)
        throw PreparationError(.invalid, at: place(), "the header is not UTF-8", hint: PreparationError.encodingHint)
      }
      let name = block.text(field).trimmed
      guard !name.isEmpty else {
        throw PreparationError(
          .invalid, at: place(), "column \(column + 1) has no name",
          hint: "pandas writes its index as such a column: to_csv(..., index=False) leaves it out")
      }
      header.append(Header(name: name, place: place()))
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

  /// Refuses files that are known not to be CSV by how they start.
  private func refuseForeignFile(_ bytes: Span<UInt8>) throws(PreparationError) {
    let known: [(start: [UInt8], message: String, hint: String?)] = [
      ([0xff, 0xfe], "this is UTF-16, not UTF-8", PreparationError.encodingHint),
      ([0xfe, 0xff], "this is UTF-16, not UTF-8", PreparationError.encodingHint),
      ([0x1f, 0x8b], "this is a gzip file in a gzip file, not CSV", "unpack it first: gzip -d"),
      ([0x50, 0x4b, 0x03, 0x04], "this is a zip file or a spreadsheet, not CSV", "export the table as CSV"),
      ([0x89, 0x48, 0x44, 0x46], "this is an HDF5 file, not CSV", "it can be trained on as it is"),
      ([0x50, 0x41, 0x52, 0x31], "this is a Parquet file, not CSV", "export the table as CSV"),
    ]
    for file in known where bytes.count >= file.start.count {
      guard file.start.indices.allSatisfy({ bytes[$0] == file.start[$0] }) else { continue }
      throw PreparationError(
        .invalid, at: PreparationError.Place(path: path, line: 1, column: 1), file.message, hint: file.hint)
    }
  }
}
