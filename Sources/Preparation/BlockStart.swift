/// Guesses where the first record of a block starts, without what stands before the block.
///
/// Whether a line end there is one of a record or stands in quotes is told for sure only by the text from the start of the
/// file on. The guess is right for all but the strangest texts, and it is checked: see `TextShare`.
enum BlockStart {
  /// What is looked at for a guess.
  private static let sampleBytes = 1 << 18
  /// How many records must be sound.
  private static let records = 32

  /// The first byte, from `border` on, that a record of the file seems to start at.
  static func guess(_ table: CSVTable, border: Int) throws(PreparationError) -> Int {
    var window = TextWindow(try CSVSource.open(table.path))
    // The byte before tells whether a line has just ended.
    try window.move(to: border - 1, count: sampleBytes)
    let bytes = window.bytes.span.extracting(0..<window.filled)
    let isLast = window.isAtEnd
    let outside = afterLine(bytes, from: 0, isLast: isLast)
    guard table.dialect.quote != nil, !isSound(bytes, from: outside, isLast: isLast, table) else {
      return border - 1 + outside
    }
    if let inside = afterQuotes(bytes, isLast: isLast, table), isSound(bytes, from: inside, isLast: isLast, table) {
      return border - 1 + inside
    }
    return border - 1 + outside
  }

  /// The first byte behind a line end at `start` or later; the end of the bytes if there is none.
  private static func afterLine(_ bytes: Span<UInt8>, from start: Int, isLast: Bool) -> Int {
    for index in start..<max(start, bytes.count)
    where bytes[index] == CSVDialect.lineFeed || bytes[index] == CSVDialect.carriageReturn {
      return CSVTokenizer.afterLineEnd(bytes, index, isLast: isLast) ?? bytes.count
    }
    return bytes.count
  }

  /// The first byte behind the record that ends here if the text starts within quotes.
  private static func afterQuotes(_ bytes: Span<UInt8>, isLast: Bool, _ table: CSVTable) -> Int? {
    var position = 1
    while position < bytes.count {
      guard bytes[position] == table.dialect.quote else {
        position += 1
        continue
      }
      guard position + 1 < bytes.count, bytes[position + 1] == table.dialect.quote else { break }
      position += 2
    }
    position += 1
    guard position < bytes.count else { return nil }
    if let next = lineEnd(bytes, position, isLast: isLast) { return next }
    var layout = CSVLayout()
    let result = CSVTokenizer(dialect: table.dialect, isLast: isLast, limit: 1).tokenize(
      bytes, from: position, into: &layout)
    return layout.starts.isEmpty ? nil : result.consumed
  }

  private static func lineEnd(_ bytes: Span<UInt8>, _ position: Int, isLast: Bool) -> Int? {
    guard bytes[position] == CSVDialect.lineFeed || bytes[position] == CSVDialect.carriageReturn else { return nil }
    return CSVTokenizer.afterLineEnd(bytes, position, isLast: isLast)
  }

  /// Whether the text from `start` on is records with as many fields as the table has columns.
  private static func isSound(_ bytes: Span<UInt8>, from start: Int, isLast: Bool, _ table: CSVTable) -> Bool {
    var layout = CSVLayout(columns: table.header.count)
    let result = CSVTokenizer(dialect: table.dialect, isLast: isLast, limit: records).tokenize(
      bytes, from: start, into: &layout)
    return result.fault == nil && (!layout.starts.isEmpty || result.consumed == bytes.count)
  }
}
