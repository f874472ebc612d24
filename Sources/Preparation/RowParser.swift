/// Turns the fields of a record into numbers.
struct RowParser: Sendable {
  let selection: ColumnSelection
  /// What to do with missing values; nil where there is no choice but to stop.
  let missing: MissingPolicy?
  private let missingValues: MissingValue
  private let parser: DecimalParser

  init(
    selection: ColumnSelection, missing: MissingPolicy?, missingValues: MissingValue = .standard,
    dialect: CSVDialect = CSVDialect()
  ) {
    self.selection = selection
    self.missing = missing
    self.missingValues = missingValues
    parser = DecimalParser(dialect)
  }

  /// Writes the features of a record to `values` from `offset` on.
  ///
  /// - Returns: nil, or the first feature that has no value where such rows are to be dropped.
  /// - Throws: `PreparationError` with line and column if a field is no number, too large, or missing where that is an
  ///   error.
  func features(of record: Int, in reader: borrowing CSVReader, into values: inout MutableSpan<Float>, at offset: Int)
    throws(PreparationError) -> Int?
  {
    let bytes = reader.block.bytes.span
    let fields = reader.block.layout.fields.span
    let first = record * reader.block.columns
    for index in selection.features.indices {
      let range = fields[first + selection.features[index]].range
      if let value = parser.float(bytes, range), value.isFinite {
        values[offset + index] = value
      } else {
        let field = fields[first + selection.features[index]]
        guard try isMissing(field, of: selection.names[index], record: record, in: reader) else {
          throw notANumber(field, of: selection.names[index], record: record, in: reader)
        }
        return index
      }
    }
    return nil
  }

  /// Whether the target of a record is missing and the row to be dropped.
  func targetIsMissing(_ record: Int, in reader: borrowing CSVReader) throws(PreparationError) -> Bool {
    guard let target = selection.target, let name = selection.targetName else { return false }
    return try isMissing(reader.block[record, target], of: name, record: record, in: reader)
  }

  /// The target of a record as a number.
  func targetValue(_ record: Int, in reader: borrowing CSVReader) throws(PreparationError) -> Float {
    guard let target = selection.target, let name = selection.targetName else { return 0 }
    let field = reader.block[record, target]
    if let value = parser.float(reader.block.bytes.span, field.range), value.isFinite { return value }
    throw notANumber(field, of: name, record: record, in: reader)
  }

  /// A number in both precisions, each correctly rounded, or nil if the bytes are none that is finite.
  @inline(__always)
  func numbers(_ bytes: Span<UInt8>, _ range: Range<Int>) -> (wide: Double, narrow: Float)? {
    guard let narrow = parser.float(bytes, range), narrow.isFinite, let wide = parser.double(bytes, range) else {
      return nil
    }
    return (wide, narrow)
  }

  func numbers(_ field: CSVField, in reader: borrowing CSVReader) -> (wide: Double, narrow: Float)? {
    numbers(reader.block.bytes.span, field.range)
  }

  /// The target of a record as the number of its class.
  func targetClass(_ record: Int, in reader: borrowing CSVReader, of classes: ClassIndex) throws(PreparationError)
    -> Int32
  {
    guard let target = selection.target, let name = selection.targetName else { return 0 }
    let field = reader.block[record, target]
    if let index = classes.index(of: field, in: reader.block) { return index }
    let shown = classes.names.prefix(20).map { quoted($0) }.joined(separator: ", ")
    let more = classes.names.count > 20 ? " and \(classes.names.count - 20) more" : ""
    throw reader.error(
      field, "column \(quoted(name)): \(quoted(reader.block.text(field))) is none of the classes",
      hint: "they are \(shown)\(more)")
  }

  /// - Throws: `PreparationError` where a missing value is an error.
  private func isMissing(_ field: CSVField, of name: String, record: Int, in reader: borrowing CSVReader)
    throws(PreparationError) -> Bool
  {
    guard missingValues.matches(reader.block.bytes.span, field.range) else { return false }
    if missing == .drop { return true }
    let text = reader.block.text(field)
    throw reader.error(
      field, "column \(quoted(name)) has no value here\(text.isEmpty ? "" : ", but \(quoted(text))")",
      hint: missing == nil ? nil : "--missing drop leaves such rows out")
  }

  private func notANumber(_ field: CSVField, of name: String, record: Int, in reader: borrowing CSVReader)
    -> PreparationError
  {
    let text = reader.block.text(field)
    let bytes = reader.block.bytes.span
    if let byte = reader.block.firstInvalidByte(in: field) {
      return reader.error(
        byte: byte, "column \(quoted(name)) is not UTF-8", hint: PreparationError.encodingHint)
    }
    if parser.double(bytes, field.range) != nil {
      return reader.error(
        field, "column \(quoted(name)): \(quoted(text)) is too large for a 32-bit number",
        hint: "the largest is 3.4028235e38")
    }
    return reader.error(
      field, "column \(quoted(name)): \(quoted(text)) is not a number", hint: hint(for: text))
  }

  /// What is most likely meant by something that is no number.
  private func hint(for text: String) -> String? {
    let bytes = Array(text.utf8)
    let pointed = bytes.map { $0 == UInt8(ascii: ",") ? UInt8(ascii: ".") : $0 }
    if pointed != bytes, parser.double(pointed.span, 0..<pointed.count) != nil {
      return "write a point, not a comma, before the decimals"
    }
    let bare = bytes.filter { $0 != UInt8(ascii: ",") && $0 != UInt8(ascii: " ") && $0 != UInt8(ascii: "'") }
    if bare != bytes, parser.double(bare.span, 0..<bare.count) != nil { return "write numbers without separators" }
    if ["inf", "+inf", "-inf", "infinity", "-infinity"].contains(text.trimmed.lowercased()) {
      return "values must be finite"
    }
    return "features must be numbers"
  }
}
