/// What the target is predicted as.
public enum TargetTask: String, CaseIterable, Equatable, Sendable {
  /// Decided from the values of the target: see `PreparationRequest.task`.
  case automatic = "auto"
  case regression
  case classification
}

/// Collects what the values of the target are, and decides what kind of task they make.
struct TargetScan {
  /// More different values than this are not classes, whatever is asked for.
  static let mostClasses = 10_000
  /// More different whole numbers than this are taken for quantities.
  static let mostNumericClasses = 100
  /// Fewer rows than this for each different whole number are taken for quantities, unless there are but two.
  static let fewestRowsPerClass = 5

  let column: String
  private(set) var rows = 0
  private var allAreWhole = true
  private var numberRows: [UInt64: Int] = [:]
  private var numbersOverflow = false
  private var texts = ByteTable()
  private var textRows: [Int] = []
  private var textsOverflow = false
  /// The error to throw where text turns out to stand among numbers.
  private var firstText: PreparationError?
  private let parser = DecimalParser()

  init(column: String) {
    self.column = column
  }

  /// Takes note of the target of one row, which is not missing.
  mutating func observe(_ field: CSVField, record: Int, in reader: borrowing CSVReader) throws(PreparationError) {
    rows += 1
    if let value = parser.double(reader.block.bytes.span, field.range) {
      guard Float(value).isFinite else {
        throw reader.error(
          record: record, field: field,
          "column \(quoted(column)): \(quoted(reader.block.text(field))) is too large for a 32-bit number")
      }
      allAreWhole = allAreWhole && value == value.rounded()
      guard !numbersOverflow else { return }
      numberRows[ClassIndex.key(value), default: 0] += 1
      if numberRows.count > Self.mostClasses { numbersOverflow = true }
      return
    }
    if let byte = reader.block.firstInvalidByte(in: field) {
      throw reader.error(
        record: record, byte: byte, "column \(quoted(column)) is not UTF-8", hint: CSVReader.encodingHint)
    }
    if firstText == nil {
      firstText = reader.error(
        record: record, field: field, "column \(quoted(column)): \(quoted(reader.block.text(field))) is not a number")
    }
    guard !textsOverflow else { return }
    let index: Int
    if field.form == .escaped {
      let content = reader.block.content(field)
      index = texts.insert(content.span, MissingValue.trimmed(content.span, 0..<content.count))
    } else {
      index = texts.insert(
        reader.block.bytes.span, MissingValue.trimmed(reader.block.bytes.span, field.range))
    }
    if index == textRows.count { textRows.append(0) }
    textRows[index] += 1
    if texts.count > Self.mostClasses { textsOverflow = true }
  }

  static let asNumber = "--task regression predicts the number instead"
  static let asClasses = "--task classification takes every value for a class instead"

  /// What the target is, and in words why and how to have it otherwise.
  func decide(_ task: TargetTask) throws(PreparationError) -> (target: TargetPlan, reason: String) {
    let different = numberRows.count + texts.count
    switch task {
    case .regression:
      if let firstText { throw firstText }
      return (.values, "regression, as asked for")
    case .classification:
      return (try classes(), "classification, as asked for")
    case .automatic:
      guard let firstText else {
        if numbersOverflow {
          return (.values, "regression: more than \(Self.mostClasses) different numbers")
        }
        let counted = "\(different) different \(allAreWhole ? "whole numbers" : "numbers") in \(rows) rows"
        if isClassLike(different) { return (try classes(), "classification: \(counted); \(Self.asNumber)") }
        return (.values, "regression: \(counted); \(Self.asClasses)")
      }
      // Text alone is classes. Among numbers it is, if the numbers could be classes too; else it is a mistake.
      if numberRows.isEmpty { return (try classes(), "classification: \(different) different texts in \(rows) rows") }
      guard !numbersOverflow, isClassLike(different) else {
        var error = firstText
        error.hint = "the column looks numeric; \(Self.asClasses)"
        throw error
      }
      return (try classes(), "classification: \(different) different values, some of them text, in \(rows) rows")
    }
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
    guard !numbersOverflow, !textsOverflow, numberRows.count + texts.count <= Self.mostClasses else {
      throw PreparationError(
        .invalid, "column \(quoted(column)) has more than \(Self.mostClasses) different values: these are no classes",
        hint: "--task regression predicts the number itself")
    }
    if texts.count == 0 {
      let values = numberRows.map { (value: Double(bitPattern: $0.key), rows: $0.value) }.sorted { $0.value < $1.value }
      return .classes(names: values.map { ClassIndex.name($0.value) }, rows: values.map(\.rows))
    }
    var named = numberRows.map { (name: Array(ClassIndex.name(Double(bitPattern: $0.key)).utf8), rows: $0.value) }
    for index in textRows.indices { named.append((texts[index], textRows[index])) }
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

  /// The names of the classes.
  var names: [String]? {
    if case .classes(let names, _) = self { names } else { nil }
  }
}
