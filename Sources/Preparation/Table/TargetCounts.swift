internal import Data

/// How often each value of the target occurs, as far as it can be a class.
struct TargetCounts: Sendable {
  /// What the target is learned as, and in words why and how to have it otherwise.
  struct Decision: Sendable {
    let target: TargetEncoding
    let reason: String

    init(_ target: TargetEncoding, _ reason: String) {
      self.target = target
      self.reason = reason
    }
  }

  private(set) var rows = 0
  private var allAreWhole = true
  /// Rows by the bits of a number, a code or a text; nil where there are too many different ones.
  private var numbers: [UInt64: Int]? = [:]
  private var codes: [Int32: Int] = [:]
  private var texts: [String: Int]? = [:]

  /// Takes note of the rows of a target that stay.
  mutating func observe(_ target: Column, _ kept: [Int]) {
    rows += kept.count
    switch target {
    case .numbers(let values):
      for row in kept {
        allAreWhole = allAreWhole && values[row] == values[row].rounded()
        numbers?[ClassIndex.key(values[row]), default: 0] += 1
      }
      if numbers?.count ?? 0 > TargetScan.mostClasses { numbers = nil }
    case .codes(let values): for row in kept { codes[values[row], default: 0] += 1 }
    case .texts(let values):
      for row in kept { texts?[values[row] ?? "", default: 0] += 1 }
      if texts?.count ?? 0 > TargetScan.mostClasses { texts = nil }
    }
  }

  mutating func merge(_ other: TargetCounts) {
    rows += other.rows
    allAreWhole = allAreWhole && other.allAreWhole
    numbers = Self.sum(numbers, other.numbers)
    texts = Self.sum(texts, other.texts)
    for (code, count) in other.codes { codes[code, default: 0] += count }
  }

  private static func sum<Key: Hashable>(_ a: [Key: Int]?, _ b: [Key: Int]?) -> [Key: Int]? {
    guard let a, let b else { return nil }
    let sum = a.merging(b) { $0 + $1 }
    return sum.count > TargetScan.mostClasses ? nil : sum
  }

  /// What the target is learned as, and in words why and how to have it otherwise.
  /// - Throws: `PreparationError` if it cannot be what is asked for.
  func decide(_ task: TargetTask, _ column: ColumnSchema, known: [String]?) throws(PreparationError) -> Decision {
    let isText = column.type == .category || column.type == .text
    switch task {
    case .regression:
      guard !isText else {
        throw PreparationError(
          .invalid, "column \(quoted(column.name)) is text and no number, so that it cannot be a regression's target")
      }
      return Decision(.value, "regression, as asked for")
    case .classification:
      if let known { return Decision(.classes(known), "classification, as asked for") }
      return Decision(.classes(try classes(column)), "classification, as asked for")
    case .automatic:
      if let known { return Decision(.classes(known), "classification: \(known.count) classes") }
      guard !isText else {
        let names = try classes(column)
        return Decision(.classes(names), "classification: \(TargetScan.counted(names.count, "text", rows: rows))")
      }
      guard let numbers else {
        return Decision(.value, "regression: more than \(TargetScan.mostClasses) different numbers")
      }
      let different = numbers.count
      let counted = TargetScan.counted(different, allAreWhole ? "whole number" : "number", rows: rows)
      guard TargetScan.areClassLike(different: different, rows: rows, allAreWhole: allAreWhole) else {
        return Decision(.value, "regression: \(counted); \(TargetScan.asClasses)")
      }
      return Decision(.classes(try classes(column)), "classification: \(counted); \(TargetScan.asNumber)")
    }
  }

  /// How many rows each class has; all of them for a regression.
  func rows(of classes: ClassIndex?, _ column: ColumnSchema?) -> [Int] {
    guard let classes, let column else { return [rows] }
    var counts = [Int](repeating: 0, count: classes.names.count)
    func add(_ label: Int32?, _ count: Int) { if let label { counts[Int(label)] += count } }
    for (bits, count) in numbers ?? [:] {
      let value = Double(bitPattern: bits)
      add(
        classes.index(of: value) ?? (column.type == .boolean ? classes.index(of: value == 0 ? "false" : "true") : nil),
        count)
    }
    for (code, count) in codes { add(column.dictionary.flatMap { classes.index(of: $0[Int(code)]) }, count) }
    for (text, count) in texts ?? [:] { add(classes.index(of: text), count) }
    return counts
  }

  /// The names of the classes: numbers by size, texts by their bytes.
  private func classes(_ column: ColumnSchema) throws(PreparationError) -> [String] {
    let names: [String]? =
      switch column.type {
      case .category: codes.keys.sorted().map { column.dictionary?[Int($0)] ?? "" }
      case .text: texts?.keys.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
      case .boolean: numbers?.keys.sorted().map { $0 == 0 ? "false" : "true" }
      case .integer, .real, .dateTime:
        numbers?.keys.map { Double(bitPattern: $0) }.sorted().map { ClassIndex.name($0) }
      }
    guard let names, names.count <= TargetScan.mostClasses else {
      throw PreparationError(
        .invalid,
        "column \(quoted(column.name)) has more than \(TargetScan.mostClasses) different values: these are no classes",
        hint: "--task regression predicts the number itself")
    }
    return names
  }
}

// From rank to rank.
extension TargetCounts {
  func encoded() -> [UInt8] {
    var writer = ByteWriter()
    writer.write(rows)
    writer.write(allAreWhole)
    writer.write(optional: numbers) { writer, numbers in
      writer.write(list: numbers.sorted { $0.key < $1.key }) {
        $0.write(Double(bitPattern: $1.key))
        $0.write($1.value)
      }
    }
    writer.write(list: codes.sorted { $0.key < $1.key }) {
      $0.write(Int($1.key))
      $0.write($1.value)
    }
    writer.write(optional: texts) { writer, texts in
      writer.write(list: texts.sorted { $0.key < $1.key }) {
        $0.write($1.key)
        $0.write($1.value)
      }
    }
    return writer.bytes
  }

  init(decoding bytes: [UInt8]) throws(DataError) {
    var reader = ByteReader(bytes)
    rows = try reader.readInt()
    allAreWhole = try reader.readBool()
    numbers = try reader.readOptional { (reader) throws(DataError) in
      var numbers: [UInt64: Int] = [:]
      for (bits, count) in try reader.readList({ (reader) throws(DataError) in
        (try reader.readDouble().bitPattern, try reader.readInt())
      }) {
        numbers[bits] = count
      }
      return numbers
    }
    for (code, count) in try reader.readList({ (reader) throws(DataError) in
      (try reader.readInt(), try reader.readInt())
    }) {
      codes[Int32(truncatingIfNeeded: code)] = count
    }
    texts = try reader.readOptional { (reader) throws(DataError) in
      var texts: [String: Int] = [:]
      for (text, count) in try reader.readList({ (reader) throws(DataError) in
        (try reader.readString(), try reader.readInt())
      }) {
        texts[text] = count
      }
      return texts
    }
    try reader.finish()
  }
}
