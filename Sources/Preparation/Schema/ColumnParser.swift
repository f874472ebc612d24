/// Turns the fields of records into values of the types that a schema says.
struct ColumnParser: Sendable {
  let schema: Schema
  let path: String
  /// The field of each column; nil for those that the file lacks, whose values are all missing.
  private let fields: [Int?]
  /// What a text among the numbers or dates of each column is.
  private let treatments: [BadValueTreatment]
  private let missingValues: MissingValue
  /// The places of the texts in the dictionary of each category.
  private let dictionaries: [ByteTable]
  private let numbers: DecimalParser

  /// - Parameters:
  ///   - table: the file, with its dialect and columns.
  ///   - needed: the columns of the schema that the file must have.
  ///   - malformed: for each column what a text among its numbers or dates is.
  ///   - missingValues: which texts mean that there is no value.
  /// - Throws: `PreparationError` if a needed column is not there.
  init(
    _ schema: Schema, table: CSVTable, needed: Set<Int>, malformed: [BadValueTreatment], missingValues: MissingValue
  ) throws(PreparationError) {
    precondition(malformed.count == schema.columns.count, "\(malformed.count) for \(schema.columns.count) columns")
    self.schema = schema
    path = table.path
    numbers = DecimalParser(table.dialect)
    treatments = malformed
    self.missingValues = missingValues
    let places = Dictionary(table.header.enumerated().map { ($0.element.name, $0.offset) }) { first, _ in first }
    fields = schema.columns.map { places[$0.name] }
    let names = needed.sorted().map { schema.columns[$0].name }
    _ = try ColumnSelection(header: table.header, path: table.path, names: names, target: nil)
    dictionaries = schema.columns.map { column in
      var table = ByteTable()
      for text in column.dictionary ?? [] {
        let bytes = Array(text.utf8)
        _ = table.insert(bytes.span, 0..<bytes.count)
      }
      return table
    }
  }

  /// The records of a block.
  ///
  /// - Parameter malformed: counts by column the fields that were taken for missing because they are malformed.
  /// - Throws: `PreparationError` at the first malformed field where that is an error.
  func parse(_ block: CSVBlock, malformed: inout [Int]) throws(PreparationError) -> ColumnBlock {
    let rows = block.records
    let origin = RowOrigin(
      path: path, block: block, fields: fields.map { $0 ?? 0 }, records: Array(0..<rows))
    var columns: [Column] = []
    var faults: [(row: Int, column: Int)] = []
    for index in schema.columns.indices {
      var odd: [Int] = []
      columns.append(column(index, block, odd: &odd))
      guard !odd.isEmpty else { continue }
      if treatments[index] == .error { faults.append((odd[0], index)) } else { malformed[index] += odd.count }
    }
    let parsed = ColumnBlock(rows: rows, columns: columns, origin: origin)
    if let fault = faults.min(by: { $0.row < $1.row }), let field = fields[fault.column] {
      throw error(parsed, fault.row, fault.column, block, block[fault.row, field])
    }
    return parsed
  }

  /// - Parameter odd: receives the rows whose fields are malformed, rising.
  private func column(_ index: Int, _ block: CSVBlock, odd: inout [Int]) -> Column {
    let rows = block.records
    let type = schema.columns[index].type
    guard let place = fields[index] else {
      switch type {
      case .category: return .codes([Int32](repeating: Column.missingCode, count: rows))
      case .text: return .texts([String?](repeating: nil, count: rows))
      case .integer, .real, .boolean, .dateTime: return .numbers([Double](repeating: .nan, count: rows))
      }
    }
    switch type {
    case .integer, .real, .boolean, .dateTime:
      var values = [Double](repeating: .nan, count: rows)
      for row in 0..<rows {
        let field = block[row, place]
        if let value = number(field, type, block) {
          values[row] = value
        } else if !isMissing(field, block) {
          odd.append(row)
        }
      }
      return .numbers(values)
    case .category:
      var codes = [Int32](repeating: Column.missingCode, count: rows)
      for row in 0..<rows {
        let field = block[row, place]
        guard !isMissing(field, block) else { continue }
        codes[row] = code(field, dictionaries[index], block)
        if codes[row] == Column.unknownCode, block.firstInvalidByte(in: field) != nil { odd.append(row) }
      }
      return .codes(codes)
    case .text:
      var texts = [String?](repeating: nil, count: rows)
      for row in 0..<rows {
        let field = block[row, place]
        guard !isMissing(field, block) else { continue }
        if block.firstInvalidByte(in: field) == nil { texts[row] = block.text(field).trimmed } else { odd.append(row) }
      }
      return .texts(texts)
    }
  }

  /// The finite number that a field holds, or nil.
  private func number(_ field: CSVField, _ type: ColumnType, _ block: CSVBlock) -> Double? {
    let bytes = block.bytes.span
    switch type {
    case .dateTime: return DateParser.seconds(bytes, field.range)
    case .boolean:
      if let boolean = Self.boolean(bytes, field.range) { return boolean }
      fallthrough
    default:
      guard let value = numbers.double(bytes, field.range), value.isFinite else { return nil }
      return value
    }
  }

  /// `true` or `false` in any case.
  static func boolean(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Double? {
    let range = MissingValue.trimmed(bytes, range)
    for (word, value) in [(trueWord, 1.0), (falseWord, 0.0)] where word.count == range.count {
      if word.indices.allSatisfy({ bytes[range.lowerBound + $0] | 0x20 == word[$0] }) { return value }
    }
    return nil
  }

  private static let trueWord = Array("true".utf8)
  private static let falseWord = Array("false".utf8)

  private func code(_ field: CSVField, _ table: ByteTable, _ block: CSVBlock) -> Int32 {
    let index: Int?
    if field.form == .escaped {
      let content = block.content(field)
      index = table.index(of: content.span, MissingValue.trimmed(content.span, 0..<content.count))
    } else {
      index = table.index(of: block.bytes.span, MissingValue.trimmed(block.bytes.span, field.range))
    }
    return index.map { Int32($0) } ?? Column.unknownCode
  }

  private func isMissing(_ field: CSVField, _ block: CSVBlock) -> Bool {
    guard field.form == .escaped else { return missingValues.matches(block.bytes.span, field.range) }
    let content = block.content(field)
    return missingValues.matches(content.span, 0..<content.count)
  }

  private func error(
    _ parsed: ColumnBlock, _ row: Int, _ index: Int, _ block: CSVBlock, _ field: CSVField
  ) -> PreparationError {
    let name = quoted(schema.columns[index].name)
    if block.firstInvalidByte(in: field) != nil {
      return parsed.error(row: row, column: index, "column \(name) is not UTF-8", hint: PreparationError.encodingHint)
    }
    let text = quoted(block.text(field))
    let hint = "\"malformed\": \"missing\" in the recipe takes it for missing"
    switch schema.columns[index].type {
    case .dateTime:
      return parsed.error(row: row, column: index, "column \(name): \(text) is no date as 2026-01-31", hint: hint)
    case .boolean:
      return parsed.error(row: row, column: index, "column \(name): \(text) is neither true nor false", hint: hint)
    case .integer, .real, .category, .text:
      return parsed.error(row: row, column: index, "column \(name): \(text) is not a number", hint: hint)
    }
  }
}
