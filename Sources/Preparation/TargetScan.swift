internal import Data
internal import MPI

/// What the target is predicted as.
public enum TargetTask: String, CaseIterable, Equatable, Sendable {
  /// Decided from the values of the target: see `PreparationRequest.task`.
  case automatic = "auto"
  case regression
  case classification
}

/// Collects what the values of the target are, and decides what kind of task they make.
///
/// Different values get codes in the order in which they are first met: those of one scan. What several scans found is
/// added up by `merge`.
struct TargetScan: Sendable {
  /// More different values than this are not classes, whatever is asked for.
  static let mostClasses = 10_000
  /// More different whole numbers than this are taken for quantities.
  static let mostNumericClasses = 100
  /// Fewer rows than this for each different whole number are taken for quantities, unless there are but two.
  static let fewestRowsPerClass = 5
  /// The code of a value where there are too many to be classes.
  static let noCode: Int32 = -1

  /// A byte of a file, for a message.
  struct Position: Equatable, Sendable {
    var file: Int
    var byte: Int
  }

  let column: String
  private(set) var rows = 0
  private var allAreWhole = true
  private var numbersOverflow = false
  private var textsOverflow = false
  /// The codes of numbers, and the number of each code; of texts likewise.
  private var numberCodes: [UInt64: Int32] = [:]
  private var numbers: [(key: UInt64, code: Int32)] = []
  private var texts = ByteTable()
  private var textCodes: [Int32] = []
  /// Rows of each code.
  private(set) var rowsOfCode: [Int] = []
  /// The codes of small whole numbers, which most classes are.
  private var smallCodes = [Int32](repeating: noCode, count: 256)
  /// Where text stands that may turn out to be among numbers, and what it says.
  private var firstText: (position: Position, text: String)?
  private let parser: DecimalParser

  init(column: String, dialect: CSVDialect = CSVDialect()) {
    self.column = column
    parser = DecimalParser(dialect)
  }

  /// Takes note of the target of one row, which is not missing; returns its code.
  mutating func observe(_ field: CSVField, file: Int = 0, in reader: borrowing CSVReader) throws(PreparationError)
    -> Int32
  {
    if let value = parser.double(reader.block.bytes.span, field.range) {
      guard Float(value).isFinite else {
        throw reader.error(
          field, "column \(quoted(column)): \(quoted(reader.block.text(field))) is too large for a 32-bit number")
      }
      return observe(value)
    }
    rows += 1
    if let byte = reader.block.firstInvalidByte(in: field) {
      throw reader.error(
        byte: byte, "column \(quoted(column)) is not UTF-8", hint: PreparationError.encodingHint)
    }
    if firstText == nil {
      firstText = (Position(file: file, byte: reader.block.offset + field.firstByte), reader.block.text(field))
    }
    guard !textsOverflow else { return Self.noCode }
    if field.form == .escaped {
      let content = reader.block.content(field)
      return observe(text: content.span, MissingValue.trimmed(content.span, 0..<content.count), rows: 1)
    }
    return observe(
      text: reader.block.bytes.span, MissingValue.trimmed(reader.block.bytes.span, field.range), rows: 1)
  }

  /// Takes note of a target that is a number; returns its code.
  @inline(__always)
  mutating func observe(_ value: Double) -> Int32 {
    rows += 1
    if allAreWhole, value != value.rounded() { allAreWhole = false }
    if numbersOverflow { return Self.noCode }
    if value >= 0, value < 256, let small = Int(exactly: value), smallCodes[small] != Self.noCode {
      let code = smallCodes[small]
      rowsOfCode[Int(code)] += 1
      return code
    }
    return observe(key: ClassIndex.key(value), rows: 1)
  }

  private mutating func observe(key: UInt64, rows: Int) -> Int32 {
    if let code = numberCodes[key] {
      rowsOfCode[Int(code)] += rows
      return code
    }
    let code = newCode(rows: rows)
    numberCodes[key] = code
    numbers.append((key, code))
    if let small = Int(exactly: Double(bitPattern: key)), small >= 0, small < 256 { smallCodes[small] = code }
    if numbers.count > Self.mostClasses { numbersOverflow = true }
    return code
  }

  private mutating func observe(text bytes: Span<UInt8>, _ range: Range<Int>, rows: Int) -> Int32 {
    let index = texts.insert(bytes, range)
    if index == textCodes.count {
      textCodes.append(newCode(rows: rows))
      if texts.count > Self.mostClasses { textsOverflow = true }
    } else {
      rowsOfCode[Int(textCodes[index])] += rows
    }
    return textCodes[index]
  }

  private mutating func newCode(rows: Int) -> Int32 {
    rowsOfCode.append(rows)
    return Int32(rowsOfCode.count - 1)
  }

  /// Adds what a scan of rows behind these found.
  mutating func merge(_ other: TargetScan) {
    rows += other.rows
    allAreWhole = allAreWhole && other.allAreWhole
    firstText = firstText ?? other.firstText
    for (key, code) in other.numbers where !numbersOverflow { _ = observe(key: key, rows: other.rowsOfCode[Int(code)]) }
    for index in other.textCodes.indices where !textsOverflow {
      let bytes = other.texts[index]
      _ = observe(text: bytes.span, 0..<bytes.count, rows: other.rowsOfCode[Int(other.textCodes[index])])
    }
    numbersOverflow = numbersOverflow || other.numbersOverflow
    textsOverflow = textsOverflow || other.textsOverflow
  }

  func encoded() -> [UInt8] {
    var writer = ByteWriter()
    writer.write(rows)
    for flag in [allAreWhole, numbersOverflow, textsOverflow] { writer.write(flag) }
    // Where there are too many to be classes, nobody asks which.
    writer.write(list: numbersOverflow ? [] : numbers) { writer, number in
      writer.write(Int(bitPattern: UInt(number.key)))
      writer.write(rowsOfCode[Int(number.code)])
    }
    writer.write(list: textsOverflow ? [] : Array(textCodes.indices)) { writer, index in
      writer.write(texts[index])
      writer.write(rowsOfCode[Int(textCodes[index])])
    }
    writer.write(optional: firstText) { writer, first in
      writer.write(first.position.file)
      writer.write(first.position.byte)
      writer.write(first.text)
    }
    return writer.bytes
  }

  init(decoding bytes: [UInt8], column: String) throws(DataError) {
    self.init(column: column)
    var reader = ByteReader(bytes)
    rows = try reader.readInt()
    allAreWhole = try reader.readBool()
    let overflows = (numbers: try reader.readBool(), texts: try reader.readBool())
    for (key, rows) in try reader.readList({ (reader) throws(DataError) in (try reader.readInt(), try reader.readInt())
    }) {
      _ = observe(key: UInt64(UInt(bitPattern: key)), rows: rows)
    }
    let named = try reader.readList { (reader) throws(DataError) in
      (
        try reader.readBytes(), try reader.readInt()
      )
    }
    for (text, rows) in named { _ = observe(text: text.span, 0..<text.count, rows: rows) }
    firstText = try reader.readOptional { (reader) throws(DataError) in
      (Position(file: try reader.readInt(), byte: try reader.readInt()), try reader.readString())
    }
    try reader.finish()
    (numbersOverflow, textsOverflow) = overflows
  }

  /// What the scans of all ranks found together. Collective.
  func merged(_ ranks: borrowing some Ranks & ~Copyable) throws -> TargetScan {
    let column = column
    return try TargetScan(
      decoding: ranks.fold(encoded()) { (before, behind) in
        var sum = try TargetScan(decoding: before, column: column)
        sum.merge(try TargetScan(decoding: behind, column: column))
        return sum.encoded()
      }, column: column)
  }

  /// The class of each code of this scan.
  func classes(in index: ClassIndex) -> [Int32] {
    var classes = [Int32](repeating: 0, count: rowsOfCode.count)
    for (key, code) in numbers { classes[Int(code)] = index.index(ofKey: key) ?? 0 }
    for (text, code) in textCodes.enumerated() {
      let bytes = texts[text]
      classes[Int(code)] = index.index(ofText: bytes.span, 0..<bytes.count) ?? 0
    }
    return classes
  }

  static let asNumber = "--task regression predicts the number instead"
  static let asClasses = "--task classification takes every value for a class instead"

  /// What the target is, and in words why and how to have it otherwise.
  /// - Parameter locate: finds the line and column of a byte, for a message.
  func decide(_ task: TargetTask, _ locate: (Position) -> PreparationError.Place?) throws(PreparationError)
    -> (target: TargetPlan, reason: String)
  {
    let different = numbers.count + texts.count
    /// The error that text stands among numbers.
    func notANumber(_ first: (position: Position, text: String), hint: String? = nil) -> PreparationError {
      PreparationError(
        .invalid, at: locate(first.position), "column \(quoted(column)): \(quoted(first.text)) is not a number",
        hint: hint)
    }
    switch task {
    case .regression:
      if let firstText { throw notANumber(firstText) }
      return (.values, "regression, as asked for")
    case .classification:
      return (try classes(), "classification, as asked for")
    case .automatic:
      guard let firstText else {
        if numbersOverflow {
          return (.values, "regression: more than \(Self.mostClasses) different numbers")
        }
        let counted = Self.counted(different, allAreWhole ? "whole number" : "number", rows: rows)
        if isClassLike(different) { return (try classes(), "classification: \(counted); \(Self.asNumber)") }
        return (.values, "regression: \(counted); \(Self.asClasses)")
      }
      // Text alone is classes. Among numbers it is, if the numbers could be classes too; else it is a mistake.
      if numbers.isEmpty, !numbersOverflow {
        return (try classes(), "classification: \(Self.counted(different, "text", rows: rows))")
      }
      guard !numbersOverflow, !textsOverflow, isClassLike(different) else {
        throw notANumber(firstText, hint: "the column looks numeric; \(Self.asClasses)")
      }
      return (try classes(), "classification: \(different) different values, some of them text, in \(rows) rows")
    }
  }

  /// `3 different numbers in 5 rows`, or `1 number in 1 row`.
  static func counted(_ different: Int, _ what: String, rows: Int) -> String {
    let things = different == 1 ? "1 \(what)" : "\(different) different \(what)s"
    return "\(things) in \(rows == 1 ? "1 row" : "\(rows) rows")"
  }

  private func isClassLike(_ different: Int) -> Bool {
    Self.areClassLike(different: different, rows: rows, allAreWhole: allAreWhole)
  }

  /// Whether so many different numbers in so many rows are taken for classes.
  static func areClassLike(different: Int, rows: Int, allAreWhole: Bool) -> Bool {
    allAreWhole && different >= 2 && different <= mostNumericClasses
      && (different == 2 || rows >= fewestRowsPerClass * different)
  }

  private func classes() throws(PreparationError) -> TargetPlan {
    guard !numbersOverflow, !textsOverflow, numbers.count + texts.count <= Self.mostClasses else {
      throw PreparationError(
        .invalid, "column \(quoted(column)) has more than \(Self.mostClasses) different values: these are no classes",
        hint: "--task regression predicts the number itself")
    }
    func rows(_ code: Int32) -> Int { rowsOfCode[Int(code)] }
    if texts.count == 0 {
      let values = numbers.map { (value: Double(bitPattern: $0.key), rows: rows($0.code)) }.sorted {
        $0.value < $1.value
      }
      return .classes(names: values.map { ClassIndex.name($0.value) }, rows: values.map(\.rows))
    }
    var named = numbers.map { (name: Array(ClassIndex.name(Double(bitPattern: $0.key)).utf8), rows: rows($0.code)) }
    for index in textCodes.indices { named.append((texts[index], rows(textCodes[index]))) }
    named.sort { $0.name.lexicographicallyPrecedes($1.name) }
    return .classes(names: named.map { String(decoding: $0.name, as: UTF8.self) }, rows: named.map(\.rows))
  }
}

/// What is written for the target.
enum TargetPlan: Equatable, Sendable {
  /// The number itself.
  case values
  /// The index of its class. `rows` counts the rows of each.
  case classes(names: [String], rows: [Int])

  /// How many rows each stratum of the split has, where the table has `rows`.
  func strata(rows: Int) -> [Int] {
    switch self {
    case .values: [rows]
    case .classes(_, let rows): rows
    }
  }

  /// The names of the classes.
  var names: [String]? {
    if case .classes(let names, _) = self { names } else { nil }
  }
}
