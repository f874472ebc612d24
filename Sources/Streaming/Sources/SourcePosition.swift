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
  /// Rows left out because they could not be read.
  public var malformed = 0
  /// Rows left out because values were missing, or not finite.
  public var incomplete = 0
  /// Rows left out because they came too late.
  public var late = 0
  /// The latest time of a row; nil where rows have none.
  public var latest: Double?
  /// The file that is being read.
  public var file: File?
  /// The files of a directory that are done with.
  public var finished: [String] = []
  /// How far a stream of Redis is done with.
  var entry: EntryMark?

  init(path: String) { self.path = path }

  /// Rows left out.
  public var leftOut: Int { malformed + incomplete + late }

  public var json: JSONValue {
    .object([
      ("path", .string(path)), ("rows", .integer(rows)), ("malformed", .integer(malformed)),
      ("incomplete", .integer(incomplete)), ("late", .integer(late)),
      ("latest", latest.map { .number($0) } ?? .null),
      (
        "file",
        file.map {
          .object([("name", .string($0.name)), ("rows", .integer($0.rows)), ("bytes", .integer($0.bytes))])
        } ?? .null
      ),
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
    malformed = try count(node, "malformed")
    incomplete = try count(node, "incomplete")
    late = try count(node, "late")
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
