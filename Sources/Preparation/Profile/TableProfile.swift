internal import Data

/// What the columns of a table hold: found from all of its rows.
public struct TableProfile: Sendable {
  /// What is said of a column.
  public struct ColumnSummary: Equatable, Sendable {
    public var name: String
    public var type: ColumnType
    /// Rows with a value, and without.
    public var count: Int
    public var missing: Int
    /// Of numbers, booleans (0 and 1) and dates (seconds since 1970 in UTC); nil where there is none.
    public var minimum: Double?
    public var mean: Double?
    /// The sample standard deviation (n - 1); nil with fewer than two values.
    public var deviation: Double?
    public var maximum: Double?
    /// Different values; nil if there are more than 100,000 or they take very much room.
    public var distinct: Int?
    /// The first different values, as they are written.
    public var examples: [String]
  }

  static let examples = 3

  let names: [String]
  private(set) var columns: [ColumnProfile]
  public private(set) var rows = 0
  /// Rows with a value in every column.
  public private(set) var completeRows = 0

  init(names: [String]) {
    self.names = names
    columns = names.map { _ in ColumnProfile(columns: names.count) }
  }

  mutating func merge(_ other: TableProfile) {
    rows += other.rows
    completeRows += other.completeRows
    for index in columns.indices { columns[index].merge(other.columns[index]) }
  }

  /// Takes note of the records of a block.
  ///
  /// - Parameter fields: the field of each column.
  /// - Returns: for each record whether it has all values.
  /// - Throws: `PreparationError` at the first text that is not UTF-8.
  mutating func observe(
    _ reader: borrowing CSVReader, fields: [Int], missing: MissingValue, parser: DecimalParser
  ) throws(PreparationError) -> [Bool] {
    let records = reader.block.records
    var isComplete = [Bool](repeating: true, count: records)
    var fault: (record: Int, byte: Int, column: Int)?
    for (index, field) in fields.enumerated() {
      let byte = observe(column: index, field, reader, missing, parser, &isComplete)
      if let byte, byte.record < fault?.record ?? .max { fault = (byte.record, byte.byte, index) }
    }
    if let fault {
      throw reader.error(
        byte: fault.byte, "column \(quoted(names[fault.column])) is not UTF-8", hint: PreparationError.encodingHint)
    }
    rows += records
    for record in 0..<records where isComplete[record] { completeRows += 1 }
    return isComplete
  }

  /// Takes note of one column of a block; returns its first byte that is not UTF-8.
  private mutating func observe(
    column: Int, _ place: Int, _ reader: borrowing CSVReader, _ missing: MissingValue, _ parser: DecimalParser,
    _ isComplete: inout [Bool]
  ) -> (record: Int, byte: Int)? {
    let bytes = reader.block.bytes.span
    let fields = reader.block.layout.fields.span
    let width = reader.block.columns
    for record in 0..<reader.block.records {
      let field = fields[record * width + place]
      let isNew: Bool
      if field.form == .escaped {
        let content = reader.block.content(field)
        let range = MissingValue.trimmed(content.span, 0..<content.count)
        isNew = columns[column].observe(content.span, range, parser)
      } else if missing.matches(bytes, field.range) {
        columns[column].observeMissing()
        isComplete[record] = false
        continue
      } else {
        isNew = columns[column].observe(bytes, MissingValue.trimmed(bytes, field.range), parser)
      }
      if isNew, let byte = reader.block.firstInvalidByte(in: field) { return (record, byte) }
    }
    return nil
  }

  /// The columns and their types.
  ///
  /// - Parameter imposed: the type that a column shall have whatever it holds; nil finds out.
  /// - Throws: `PreparationError` if a column is to be categories and has too many different values.
  func schema(_ imposed: (String) -> ColumnType?) throws(PreparationError) -> Schema {
    var result: [ColumnSchema] = []
    for (name, column) in zip(names, columns) {
      let type = imposed(name) ?? column.type
      guard type == .category else {
        result.append(ColumnSchema(name: name, type: type))
        continue
      }
      guard let dictionary = column.dictionary else {
        throw PreparationError(
          .invalid, "column \(quoted(name)) has more than \(ColumnProfile.mostImposedCategories) different values",
          hint: "as text they can be hashed; categories cannot be that many")
      }
      result.append(ColumnSchema(name: name, type: type, dictionary: dictionary))
    }
    return Schema(result)
  }

  /// What is said of each column, taken for the types of `schema`.
  func summaries(_ schema: Schema, _ dialect: CSVDialect) -> [ColumnSummary] {
    let parser = DecimalParser(dialect)
    return zip(schema.columns, columns).map { column, profile in
      var summary = ColumnSummary(
        name: column.name, type: column.type, count: profile.count, missing: profile.missing,
        distinct: profile.distinct(as: column.type, parser), examples: profile.examples(Self.examples))
      let moments = column.type == .dateTime ? profile.dateMoments : profile.moments
      guard column.type.isNumeric, moments.count > 0 else { return summary }
      summary.minimum = moments.minimum
      summary.maximum = moments.maximum
      summary.mean = moments.mean
      if moments.count > 1 { summary.deviation = moments.deviation(freedom: 1) }
      return summary
    }
  }

  func encoded() -> [UInt8] {
    var writer = ByteWriter()
    writer.write(rows)
    writer.write(completeRows)
    for column in columns { column.write(to: &writer) }
    return writer.bytes
  }

  init(decoding bytes: [UInt8], names: [String]) throws(DataError) {
    var reader = ByteReader(bytes)
    self.init(names: names)
    rows = try reader.readInt()
    completeRows = try reader.readInt()
    for index in names.indices { columns[index] = try ColumnProfile(from: &reader, columns: names.count) }
    try reader.finish()
  }
}
