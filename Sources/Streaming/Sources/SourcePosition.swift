public import Data
public import JSON

/// How far a source has been read: what a checkpoint keeps of it, so that a restart loses and doubles no row.
public struct SourcePosition: Equatable, Sendable {
  /// Of one file.
  public struct File: Equatable, Sendable {
    public var name: String
    /// Rows that are done with, from the start of the file: the number of the next one.
    public var rows = 0
    /// Where the next row begins in a text; 0 before its header is known.
    public var bytes = 0

    init(name: String) { self.name = name }
  }

  /// As the job names the source.
  public let path: String
  /// Rows that are done with, of all files: learned, or left out.
  public var rows = 0
  public var leftOut = RowsLeftOut()
  /// The latest time of a row; nil where rows have none.
  public var latest: Double?
  /// The file that is being read.
  public var file: File?
  /// The files of a directory that are done with.
  public var finished: [String] = []
  /// How far a stream of Redis is done with.
  var entry: EntryMark?

  init(path: String) { self.path = path }

  public var json: JSONValue {
    let file = file.map { file in
      JSONValue.object([("name", .string(file.name)), ("rows", .integer(file.rows)), ("bytes", .integer(file.bytes))])
    }
    return .object(
      [("path", .string(path)), ("rows", .integer(rows))] + leftOut.members + [
        ("latest", latest.map { .number($0) } ?? .null), ("file", file ?? .null),
        ("finished", .array(finished.map { .string($0) })), ("entry", entry?.json ?? .null),
      ])
  }

  /// Reads what `json` has written.
  /// - Throws: `DataError` (65) where something is missing or makes no sense.
  public init(_ node: JSONNode) throws(DataError) {
    func count(_ node: JSONNode, _ key: String) throws(DataError) -> Int {
      guard let count = node[key]?.asInt, count >= 0 else {
        throw DataError(.invalid, "the position of a source has no count '\(key)'")
      }
      return count
    }
    guard let path = node["path"]?.asString else { throw DataError(.invalid, "the position of a source has no path") }
    self.init(path: path)
    rows = try count(node, "rows")
    guard let leftOut = RowsLeftOut(node) else {
      throw DataError(.invalid, "the position of a source does not say how many rows were left out")
    }
    self.leftOut = leftOut
    latest = node["latest"]?.asDouble
    if let found = node["file"], let name = found["name"]?.asString {
      var file = File(name: name)
      file.rows = try count(found, "rows")
      file.bytes = try count(found, "bytes")
      self.file = file
    }
    finished = (node["finished"]?.asArray ?? []).compactMap(\.asString)
    if let found = node["entry"], !found.isNull { entry = try EntryMark(found) }
  }
}
