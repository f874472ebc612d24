internal import Text

/// Rows of a table whose text comes piece by piece, and which may have no end: from a pipe, or a file that grows.
///
/// A row that is malformed is told and passed over; the next one begins behind its line end. Missing values are NaN.
public struct CSVFeed: Sendable {
  /// What `next` came to.
  public enum Row: Equatable, Sendable {
    case row
    /// A row that is as it should be but for its class, which is none of those that are known: the name that it gives it.
    case unknownClass(String)
    /// What is wrong with the row that was passed over.
    case malformed(String)
    /// More text is needed.
    case none
  }

  /// The names of the features, once the header is known.
  public private(set) var columns: [String] = []
  /// Whether the header is known.
  public private(set) var isOpen = false

  private let name: String
  private let wanted: [String]
  private let target: String
  private let time: String?
  private var classes: ClassIndex?
  private let parser = DecimalParser()
  private let missing = MissingValue.standard
  private var dialect = CSVDialect()
  private var selection: ColumnSelection?
  /// The field of the time.
  private var timeField: Int?

  private var block = CSVBlock()
  /// The next record of the block.
  private var record = 0
  /// The byte of the block behind its records.
  private var position = 0
  private var fault: CSVTokenizer.Fault?
  private var isWhole = false

  /// Such a record has an open quote, or is none.
  private static let largestRecord = 1 << 24

  /// - Parameters:
  ///   - name: of the source, for messages.
  ///   - columns: the features by name, in the order that the model wants them; all columns but the target where there are none.
  ///   - target: the name of the target.
  ///   - classes: the names of the classes; nil where the target is a number.
  ///   - time: the name of the column that says when a row was made, in numbers; nil where there is none.
  public init(name: String, columns: [String], target: String, classes: [String]?, time: String? = nil) {
    self.name = name
    wanted = columns
    self.target = target
    self.time = time
    self.classes = classes.map { ClassIndex(names: $0) }
  }

  /// The byte of the text at which the next row begins; text that is given again from there on goes on with it.
  public var offset: Int {
    block.offset + (record < block.records ? Int(block.layout.starts[record]) : position)
  }

  /// Adds text. Only where `next` has said that it needs more.
  public mutating func append(_ bytes: [UInt8]) {
    precondition(record == block.records, "\(block.records - record) rows are left")
    block.layout.removeAll()
    record = 0
    block.bytes.removeSubrange(..<position)
    block.offset += position
    position = 0
    block.bytes += bytes
  }

  /// The classes are these from now on.
  public mutating func know(classes: [String]) { self.classes = ClassIndex(names: classes) }

  /// No more text comes.
  public mutating func finish() { isWhole = true }

  /// The text that is added next begins at `offset`; only where the header is known.
  public mutating func move(to offset: Int) {
    block.layout.removeAll()
    block.bytes.removeAll()
    block.offset = offset
    (record, position, fault) = (0, 0, nil)
  }

  /// Reads the header, as far as it is there; returns whether it is known now.
  /// - Throws: `PreparationError` where a column is not there, or the header is malformed.
  public mutating func open() throws(PreparationError) -> Bool {
    guard !isOpen else { return true }
    let bytes = block.bytes
    let end = bytes.firstIndex(of: CSVDialect.lineFeed)
    guard let end = end ?? (isWhole && !bytes.isEmpty ? bytes.count : nil) else {
      try checkLength()
      return false
    }
    let first = end == bytes.count ? bytes : Array(bytes[...end])
    let table = try Self.table(first, name: name)
    dialect = table.dialect
    block.quote = dialect.quote
    block.layout.columns = table.header.count
    if let time {
      timeField = try ColumnSelection(header: table.header, path: name, names: [], target: time).target
    }
    let names = wanted.isEmpty ? table.header.map(\.name).filter { $0 != target && $0 != time } : wanted
    let found = try ColumnSelection(header: table.header, path: name, names: names, target: target)
    selection = found
    columns = found.names
    position = first.count
    isOpen = true
    return true
  }

  private static func table(_ text: [UInt8], name: String) throws(PreparationError) -> CSVTable {
    var window = TextWindow(.bytes(text))
    return try CSVTable(
      &window, path: name, delimiter: nil, dialect: CSVDialect(), largestRecord: CSVReader.largestRecord)
  }

  /// Goes on to the next row.
  /// - Parameters:
  ///   - values: receives the features from `place` on.
  ///   - target: receives the target, or the number of its class.
  ///   - time: receives when the row was made, where there is a column for it.
  /// - Throws: `PreparationError` where the text cannot be cut into records at all.
  public mutating func next(
    into values: inout MutableSpan<Float>, at place: Int, target: inout Float, time: inout Double
  ) throws(PreparationError) -> Row {
    while record == block.records {
      if let fault {
        guard pass(fault) else { return .none }
        return .malformed(Self.message(fault))
      }
      guard try open(), try tokenize() else { return .none }
    }
    defer { record += 1 }
    return parse(into: &values, at: place, target: &target, time: &time)
  }

  /// Cuts what has come into records; returns whether there is anything new.
  private mutating func tokenize() throws(PreparationError) -> Bool {
    guard position < block.bytes.count else { return false }
    block.layout.removeAll()
    record = 0
    let bytes = block.bytes
    let result = CSVTokenizer(dialect: dialect, isLast: isWhole).tokenize(
      bytes.span, from: position, into: &block.layout)
    position = result.consumed
    fault = result.fault?.kind
    if block.records == 0, fault == nil { try checkLength() }
    return block.records > 0 || fault != nil
  }

  private func checkLength() throws(PreparationError) {
    guard block.bytes.count - position > Self.largestRecord else { return }
    throw PreparationError(
      .invalid, "'\(name)': a record of more than \(Self.largestRecord) bytes",
      hint: "is a quote not closed, or is this no CSV?")
  }

  /// Goes on behind the record that cannot be read; false where its end has not come yet.
  private mutating func pass(_ fault: CSVTokenizer.Fault) -> Bool {
    guard let end = block.bytes[position...].firstIndex(of: CSVDialect.lineFeed) else {
      guard isWhole else { return false }
      position = block.bytes.count
      self.fault = nil
      return true
    }
    position = end + 1
    self.fault = nil
    return true
  }

  private static func message(_ fault: CSVTokenizer.Fault) -> String {
    switch fault {
    case .unterminatedQuote: "a quote is never closed"
    case .textAfterQuote: "there is text after a closing quote"
    case .ragged(let fields): "it has \(fields) \(fields == 1 ? "field" : "fields"), not as many as the header"
    }
  }

  private func parse(
    into values: inout MutableSpan<Float>, at place: Int, target value: inout Float, time moment: inout Double
  ) -> Row {
    guard let selection, let targetField = selection.target else { return .none }
    let bytes = block.bytes.span
    let fields = block.layout.fields.span
    let first = record * block.layout.columns
    for index in selection.features.indices {
      let range = fields[first + selection.features[index]].range
      if let number = parser.float(bytes, range) {
        values[place + index] = number
      } else if missing.matches(bytes, range) {
        values[place + index] = .nan
      } else {
        return .malformed(
          "\(quoted(selection.names[index])) is \(text(fields[first + selection.features[index]])), no number")
      }
    }
    if let timeField {
      let field = fields[first + timeField]
      guard let number = parser.double(bytes, field.range), number.isFinite else {
        return .malformed("\(quoted(time ?? "")) is \(text(field)), no number")
      }
      moment = number
    }
    let field = fields[first + targetField]
    if let classes {
      guard let index = classes.index(of: field, in: block) else {
        let content = block.content(field)
        guard let name = ClassIndex.newName(content.span, 0..<content.count) else {
          return .malformed("\(quoted(target)) is \(text(field)), none of the classes")
        }
        return .unknownClass(name)
      }
      value = Float(index)
    } else {
      guard let number = parser.float(bytes, field.range), number.isFinite else {
        return .malformed("\(quoted(target)) is \(text(field)), no number")
      }
      value = number
    }
    return .row
  }

  private func text(_ field: CSVField) -> String {
    let text = block.text(field)
    return text.isEmpty ? "empty" : quoted(String(text.prefix(40)))
  }
}
