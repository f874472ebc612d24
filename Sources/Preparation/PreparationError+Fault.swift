extension PreparationError {
  /// The error for a fault in a record.
  ///
  /// - Parameters:
  ///   - opened: the place of the quote that was closed before there was more text.
  ///   - columns: how many fields the record should have.
  init(_ fault: CSVTokenizer.Fault, at place: Place?, opened: Place?, dialect: CSVDialect, columns: Int) {
    switch fault {
    case .unterminatedQuote:
      self.init(
        .invalid, at: place, "the quote that opens here is never closed",
        hint: "a quote inside a quoted field is written twice")
    case .textAfterQuote:
      let opening = opened.map { "; the quote was opened in line \($0.line), column \($0.column)" } ?? ""
      self.init(
        .invalid, at: place, "text after a closing quote\(opening)",
        hint: "a quote inside a quoted field is written twice")
    case .ragged(let fields):
      let mark = dialect.delimiter == UInt8(ascii: "\t") ? "a tab" : "'\(Character(UnicodeScalar(dialect.delimiter)))'"
      self.init(
        .invalid, at: place,
        "this record has \(fields) \(fields == 1 ? "field" : "fields"), the \(dialect.hasHeader ? "header" : "first") has \(columns)",
        hint: "fields are separated by \(mark) here; a field that holds one must stand in quotes")
    }
  }

  static let encodingHint = "save the table as UTF-8"
}
