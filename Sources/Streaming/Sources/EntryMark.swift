import Data
import JSON

/// How far a stream of Redis is done with.
struct EntryMark: Equatable, Sendable {
  /// The last entry that is done with.
  var id: EntryID
  /// How many entries the stream had ever had up to it, as the server counts them; nil where that is not known yet.
  var number: Int?
  /// Entries that were gone before they could be read.
  var missing = 0

  var json: JSONValue {
    .object([
      ("id", .string("\(id)")), ("number", number.map { .integer($0) } ?? .null), ("missing", .integer(missing)),
    ])
  }

  init(id: EntryID, number: Int?, missing: Int = 0) {
    self.id = id
    self.number = number
    self.missing = missing
  }

  /// Reads what `json` has written.
  init(_ node: JSONNode) throws(DataError) {
    guard let id = node["id"]?.asString.flatMap({ EntryID($0) }) else {
      throw DataError(.invalid, "the position in a stream of Redis has no id")
    }
    self.init(id: id, number: node["number"]?.asInt, missing: max(0, node["missing"]?.asInt ?? 0))
  }
}
