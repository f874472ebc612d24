import JSON
import Preparation
import Redis

/// Reads a row from an entry of a stream of Redis.
///
/// Its fields are named like the columns, and their texts are read as those of a CSV are; or it has one field, whatever its name, that
/// holds a JSON object. A field that is not there is missing, and NaN.
struct EntryRow {
  private let target: [UInt8]
  private let time: [UInt8]?
  private var json: JSONRow
  private var parser: FieldParser
  /// Nil until they are known.
  private(set) var columns: [String]?
  private var names: [[UInt8]] = []

  init(_ schema: RowSchema) {
    target = Array(schema.target.utf8)
    time = schema.time.map { Array($0.utf8) }
    json = JSONRow(schema)
    parser = FieldParser(classes: schema.classes)
    if !schema.columns.isEmpty { settle(schema.columns) }
  }

  /// The columns are these.
  mutating func settle(_ columns: [String]) {
    self.columns = columns
    names = columns.map { Array($0.utf8) }
  }

  /// The classes are these from now on.
  mutating func know(classes: [String]) {
    json.know(classes: classes)
    parser.know(classes: classes)
  }

  /// Takes the columns from an entry, where they are not known yet; returns whether they are now.
  mutating func open(_ block: EntryBlock, _ entry: Int) -> Bool {
    if columns != nil { return true }
    let reply = block.reply
    if let text = Self.object(block, entry) {
      guard let members = JSONRow.object(reply.bytes[text]) else { return false }
      settle(json.columns(of: members))
    } else {
      let fields = Self.fields(block, entry)
      settle(
        stride(from: fields.lowerBound, to: fields.upperBound, by: 2).compactMap { field in
          guard let range = reply.range(field) else { return nil }
          let isColumn = reply.bytes[range] != target[...] && reply.bytes[range] != (time ?? target)[...]
          return isColumn ? String(decoding: reply.bytes[range], as: UTF8.self) : nil
        })
    }
    if columns?.isEmpty == true { columns = nil }
    return columns != nil
  }

  /// The parts that are names and texts of the fields in turn.
  private static func fields(_ block: EntryBlock, _ entry: Int) -> Range<Int> {
    let array = block.entries[entry] + 1
    return array + 1..<array + 1 + (block.reply.count(array) ?? 0)
  }

  /// Where the JSON object lies that the entry's only field is; nil where it is none.
  private static func object(_ block: EntryBlock, _ entry: Int) -> Range<Int>? {
    let fields = fields(block, entry)
    guard fields.count == 2, let range = block.reply.range(fields.lowerBound + 1),
      block.reply.bytes[range].first(where: { $0 > 0x20 }) == UInt8(ascii: "{")
    else { return nil }
    return range
  }

  /// Fills in the row that an entry is, as `CSVFeed.next` does.
  func read(
    _ block: EntryBlock, _ entry: Int, into values: inout MutableSpan<Float>, at place: Int,
    target value: inout Float, time moment: inout Double
  ) -> SourceEvent {
    if let text = Self.object(block, entry) {
      return json.read(
        block.reply.bytes[text], columns: columns ?? [], into: &values, at: place, target: &value, time: &moment)
    }
    let bytes = block.reply.bytes.span
    let parts = block.reply.parts.span
    let fields = Self.fields(block, entry)
    // Most writers keep an order: the field behind the last one is tried first.
    var next = fields.lowerBound
    func find(_ name: [UInt8]) -> Range<Int>? {
      var field = next
      for _ in 0..<fields.count / 2 {
        if field >= fields.upperBound { field = fields.lowerBound }
        if Self.isEqual(bytes, parts[field], name) {
          next = field + 2
          let part = parts[field + 1]
          return part.value..<part.value + part.count
        }
        field += 2
      }
      return nil
    }
    for index in names.indices {
      guard let range = find(names[index]) else {
        values[place + index] = .nan
        continue
      }
      guard let number = parser.feature(bytes, range) else { return malformed(names[index], bytes, range, "no number") }
      values[place + index] = number
    }
    if let time {
      guard let range = find(time) else { return .malformed("it has no \(Self.text(time))") }
      guard let number = parser.number(bytes, range) else { return malformed(time, bytes, range, "no number") }
      moment = number
    }
    guard let range = find(target) else { return .malformed("it has no \(Self.text(target))") }
    guard let number = parser.target(bytes, range) else {
      if let unknown = parser.newClass(bytes, range) { return .unknownClass(unknown) }
      return malformed(target, bytes, range, "neither a number nor one of the classes")
    }
    value = number
    return .row
  }

  private static func isEqual(_ bytes: Span<UInt8>, _ part: RedisReply.Part, _ name: [UInt8]) -> Bool {
    guard part.count == name.count else { return false }
    for index in name.indices where bytes[part.value + index] != name[index] { return false }
    return true
  }

  private func malformed(_ name: [UInt8], _ bytes: Span<UInt8>, _ range: Range<Int>, _ what: String) -> SourceEvent {
    var text: [UInt8] = []
    for index in range.prefix(200) { text.append(bytes[index]) }
    return .malformed("\(Self.text(name)) is \(range.isEmpty ? "empty" : Self.text(text)), \(what)")
  }

  private static func text(_ bytes: [UInt8]) -> String { FieldParser.quoted(bytes) }
}
