import JSON
import Text

/// Rows of JSON lines whose text comes piece by piece: an object a line, read as `JSONRow` says.
struct JSONLineFeed {
  private(set) var columns: [String]
  private var row: JSONRow

  private var bytes: [UInt8] = []
  /// The byte of `bytes` at which the next line begins.
  private var position = 0
  private var base = 0
  private var isWhole = false

  /// A longer line is none.
  private static let longestLine = 1 << 24

  init(_ schema: RowSchema) {
    columns = schema.columns
    row = JSONRow(schema)
  }

  /// The byte of the text at which the next row begins.
  var offset: Int { base + position }

  mutating func append(_ more: [UInt8]) {
    bytes.removeSubrange(..<position)
    base += position
    position = 0
    bytes += more
  }

  mutating func finish() { isWhole = true }

  /// The classes are these from now on.
  mutating func know(classes: [String]) { row.know(classes: classes) }

  mutating func move(to offset: Int) {
    bytes = []
    (position, base) = (0, offset)
  }

  /// Learns the columns from the first line, where the job does not name them; returns whether they are known.
  mutating func open() -> Bool {
    guard columns.isEmpty else { return true }
    guard let line = line(), let members = JSONRow.object(line) else { return false }
    columns = row.columns(of: members)
    return !columns.isEmpty
  }

  /// The next line, which stays the next one; nil where it is not there as a whole. Blank lines are passed over.
  private mutating func line() -> ArraySlice<UInt8>? {
    while position < bytes.count {
      let end = bytes[position...].firstIndex(of: UInt8(ascii: "\n"))
      guard let end = end ?? (isWhole ? bytes.count : nil) else { return nil }
      let line = bytes[position..<end]
      if line.contains(where: { $0 != 0x20 && $0 != 0x09 && $0 != 0x0D }) { return line }
      position = min(end + 1, bytes.count)
    }
    return nil
  }

  /// Goes on to the next row, as `CSVFeed.next`.
  mutating func next(
    into values: inout MutableSpan<Float>, at place: Int, target value: inout Float, time moment: inout Double
  ) -> SourceEvent {
    guard open() || position < bytes.count, let line = line() else {
      return bytes.count - position > Self.longestLine ? passAll() : .nothing
    }
    position = min(line.endIndex + 1, bytes.count)
    return row.read(line, columns: columns, into: &values, at: place, target: &value, time: &moment)
  }

  /// What has no line end for so long is passed over.
  private mutating func passAll() -> SourceEvent {
    position = bytes.count
    return .malformed("a line has more than \(Text.bytes(Self.longestLine))")
  }
}
