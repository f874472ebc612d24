/// Counts lines and characters over the bytes of a text. Both count from 1.
struct TextCursor {
  private(set) var line = 1
  private(set) var column = 1
  private var follows: UInt8 = 0

  /// Passes over the bytes in `range`.
  mutating func pass(_ bytes: Span<UInt8>, _ range: Range<Int>) {
    for index in range {
      let byte = bytes[index]
      // CRLF is one line end, counted at its CR.
      if byte == CSVDialect.lineFeed || byte == CSVDialect.carriageReturn {
        if byte == CSVDialect.carriageReturn || follows != CSVDialect.carriageReturn { line += 1 }
        column = 1
      } else if byte & 0xc0 != 0x80 {  // bytes that continue a character do not count
        column += 1
      }
      follows = byte
    }
  }

  /// A byte order mark is no character.
  static let byteOrderMark: [UInt8] = [0xef, 0xbb, 0xbf]

  /// How many of the first bytes of a text are its byte order mark.
  static func markBytes(_ bytes: Span<UInt8>) -> Int {
    guard bytes.count >= byteOrderMark.count else { return 0 }
    for index in byteOrderMark.indices where bytes[index] != byteOrderMark[index] { return 0 }
    return byteOrderMark.count
  }
}

extension PreparationError.Place {
  private static let pieceBytes = 1 << 20

  /// The place of a byte of a file. Only errors ask for it, so that it may read the file from its start.
  ///
  /// - Throws: `PreparationError` if the file cannot be read again.
  init(ofByte target: Int, in source: borrowing CSVSource, path: String) throws(PreparationError) {
    var cursor = TextCursor()
    var piece = [UInt8](repeating: 0, count: min(Self.pieceBytes, max(target, TextCursor.byteOrderMark.count)))
    var offset = 0
    while offset < target {
      let filled = try source.read(at: offset, into: &piece, from: 0)
      let count = min(filled, target - offset)
      if count == 0 { break }
      let start = offset == 0 ? TextCursor.markBytes(piece.span.extracting(0..<filled)) : 0
      cursor.pass(piece.span, min(start, count)..<count)
      offset += count
    }
    self.init(path: path, line: cursor.line, column: cursor.column)
  }
}
