/// Reads a CSV file block by block: whole records at a time, never the file as a whole.
///
/// The memory it takes is that of a block, its fields' places, and the longest record.
struct CSVReader: ~Copyable {
  let table: CSVTable
  /// The records of the last `next()`.
  private(set) var block = CSVBlock()

  private var window: TextWindow
  private let blockBytes: Int
  private let largestRecord: Int
  /// The byte of the file that the next record is looked for from.
  private(set) var position: Int
  private var pendingError: PreparationError?
  /// The byte before which the records start that `next()` hands out.
  private var end = Int.max

  /// What is read beyond a block for the end of its last record.
  private let slackBytes: Int
  /// A record of more bytes is an error: most likely a quote was not closed.
  static let largestRecord = 1 << 26

  var path: String { table.path }
  var dialect: CSVDialect { table.dialect }
  var header: [CSVTable.Header] { table.header }
  /// How many bytes have been read from the file.
  var bytesRead: Int { window.bytesRead }

  /// Opens a table and reads its header.
  ///
  /// - Parameters:
  ///   - path: the name for messages.
  ///   - delimiter: the byte between fields; nil finds out.
  ///   - dialect: everything else about the text.
  ///   - blockBytes: about how many bytes are read at a time.
  /// - Throws: `PreparationError` if the file cannot be read, is empty or no text, or its header is malformed.
  init(
    _ source: consuming CSVSource, path: String, delimiter: UInt8? = nil, dialect: CSVDialect = CSVDialect(),
    blockBytes: Int = 1 << 20, largestRecord: Int = Self.largestRecord
  ) throws(PreparationError) {
    var window = TextWindow(source)
    let table = try CSVTable(&window, path: path, delimiter: delimiter, dialect: dialect, largestRecord: largestRecord)
    self.init(window, table, blockBytes: blockBytes, largestRecord: largestRecord)
  }

  /// Opens a table whose header has been read.
  init(_ source: consuming CSVSource, _ table: CSVTable) {
    self.init(TextWindow(source), table, blockBytes: 1 << 20, largestRecord: Self.largestRecord)
  }

  private init(_ window: consuming TextWindow, _ table: CSVTable, blockBytes: Int, largestRecord: Int) {
    precondition(
      blockBytes > 0 && largestRecord >= blockBytes && largestRecord <= 1 << 30,
      "blocks of \(blockBytes) bytes, records of \(largestRecord)")
    self.window = window
    self.table = table
    self.blockBytes = blockBytes
    self.largestRecord = largestRecord
    slackBytes = min(1 << 16, blockBytes)
    position = table.firstByte
    block.quote = table.dialect.quote
    block.layout.columns = table.header.count
  }

  /// Goes to the record that starts at the byte `start`; `next()` then hands out those that start before `end`.
  mutating func move(to start: Int, before end: Int) {
    position = start
    self.end = end
    pendingError = nil
    block.layout.removeAll()
  }

  /// Goes on to the next records, which are then in `block`; false at the end of the file.
  ///
  /// A fault in the file is thrown when the records before it have been handed out.
  mutating func next() throws(PreparationError) -> Bool {
    if let pendingError { throw pendingError }
    repeat {
      guard position < end else { return false }
      try load(from: position, before: min(position + blockBytes, end))
      do throws(PreparationError) {
        while try take(limit: .max) {}
      } catch {
        guard block.records > 0 else { throw error }
        pendingError = error
      }
      if block.records > 0 { return true }
    } while !isAtEnd
    return false
  }

  /// Whether nothing of the file is left.
  var isAtEnd: Bool { window.isAtEnd && position == window.offset + window.filled }

  // MARK: Step by step

  /// The byte before which the records of the block start.
  private var border = 0

  /// Reads the text of a block: the records that start from `start` on and before `border`. None of them is taken yet.
  mutating func load(from start: Int, before border: Int) throws(PreparationError) {
    window.swapBytes(with: &block.bytes)
    position = start
    self.border = border
    block.layout.removeAll()
    defer { window.swapBytes(with: &block.bytes) }
    try window.move(to: start, count: max(0, border - start) + slackBytes)
    block.offset = start
  }

  /// How many bytes of the block are the file's.
  var filled: Int { window.filled }
  /// Where in the bytes of the block the next record is looked for, and the byte before which the records of the block start.
  var range: Range<Int> { position - block.offset..<max(position, border) - block.offset }

  /// Takes the records out of the block again; the text stays.
  mutating func forget() { block.layout.removeAll() }

  /// Goes on behind a record that was read in another way.
  mutating func skip(to byte: Int) { position = block.offset + byte }

  /// Adds the next records of the loaded block to those in `block`, at most `limit` of them; false if there is none left.
  /// - Throws: `PreparationError` if the record that comes next is malformed.
  mutating func take(limit: Int) throws(PreparationError) -> Bool {
    while position < border {
      let before = block.records
      let result = tokenize(isLast: window.isAtEnd, limit: limit)
      position = block.offset + result.consumed
      if let fault = result.fault {
        throw self.fault(fault.kind, byte: fault.byte)
      }
      if block.records > before { return true }
      // A record that is not there as a whole, or nothing at all.
      if position >= border || window.isAtEnd { return false }
      try enlarge()
    }
    return false
  }

  private mutating func tokenize(isLast: Bool, limit: Int) -> CSVTokenizer.Result {
    var layout = CSVLayout()
    swap(&layout, &block.layout)
    defer { swap(&layout, &block.layout) }
    return CSVTokenizer(dialect: dialect, isLast: isLast, limit: limit).tokenize(
      block.bytes.span.extracting(0..<window.filled), from: position - block.offset, before: border - block.offset,
      into: &layout)
  }

  /// Reads more of a record that is longer than what was read beyond the block.
  private mutating func enlarge() throws(PreparationError) {
    let start = position - block.offset
    guard window.filled - start < largestRecord else {
      // Read as if the file ended here, the record says whether a quote is open.
      let result = tokenize(isLast: true, limit: 1)
      if let fault = result.fault { throw self.fault(fault.kind, byte: fault.byte) }
      throw PreparationError(
        .invalid, at: place(ofByte: start), "a record of more than \(largestRecord) bytes", hint: "is this a CSV file?")
    }
    window.swapBytes(with: &block.bytes)
    defer { window.swapBytes(with: &block.bytes) }
    try window.fill(start + min(max(2 * (window.filled - start), slackBytes), largestRecord))
  }

  // MARK: Errors

  /// The error that a field holds something wrong, at its place in the file.
  func error(_ field: CSVField, _ message: String, hint: String? = nil) -> PreparationError {
    error(byte: field.firstByte, message, hint: hint)
  }

  /// The error that a byte of the block is wrong, at its place in the file.
  func error(byte: Int, _ message: String, hint: String? = nil) -> PreparationError {
    PreparationError(.invalid, at: place(ofByte: byte), message, hint: hint)
  }

  /// The place of a byte of the block; nil if the file cannot be read again.
  private func place(ofByte byte: Int) -> PreparationError.Place? {
    do throws(PreparationError) {
      return try PreparationError.Place(ofByte: block.offset + byte, in: window.source, path: path)
    } catch {
      return nil
    }
  }

  private func fault(_ fault: CSVTokenizer.Fault, byte: Int) -> PreparationError {
    let opened: PreparationError.Place? =
      if case .textAfterQuote(let opened) = fault { place(ofByte: opened) } else { nil }
    return PreparationError(fault, at: place(ofByte: byte), opened: opened, dialect: dialect, columns: block.columns)
  }
}
