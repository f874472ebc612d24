import Data
import JSON
import Online

/// How a rank's part of the stream goes: what a line of the log is made of.
struct RankMeasures {
  private(set) var score: PrequentialScore
  private(set) var latency: LatencyHistogram
  /// Rows, and bytes of texts, that are there and not read; nil where that is not known.
  private(set) var rowsLeft: Int?
  private(set) var bytesLeft: Int?
  private(set) var malformed: Int
  private(set) var incomplete: Int
  private(set) var late: Int
  /// Entries that were gone before they could be read.
  private(set) var missing: Int

  init(score: PrequentialScore, latency: LatencyHistogram, sources: [StreamSource]) {
    func known(_ values: [Int?]) -> Int? {
      let known = values.compactMap { $0 }
      return known.isEmpty ? nil : known.reduce(0, +)
    }
    self.score = score
    self.latency = latency
    rowsLeft = known(sources.map(\.rowsLeft))
    bytesLeft = known(sources.map(\.bytesLeft))
    malformed = sources.reduce(0) { $0 + $1.position.malformed }
    incomplete = sources.reduce(0) { $0 + $1.position.incomplete }
    late = sources.reduce(0) { $0 + $1.position.late }
    missing = sources.reduce(0) { $0 + ($1.position.entry?.missing ?? 0) }
  }

  /// Adds those of another rank.
  mutating func merge(_ other: RankMeasures) {
    func sum(_ a: Int?, _ b: Int?) -> Int? { a == nil && b == nil ? nil : (a ?? 0) + (b ?? 0) }
    score.merge(other.score)
    latency.add(other.latency)
    rowsLeft = sum(rowsLeft, other.rowsLeft)
    bytesLeft = sum(bytesLeft, other.bytesLeft)
    malformed += other.malformed
    incomplete += other.incomplete
    late += other.late
    missing += other.missing
  }

  /// As bytes for rank 0.
  var encoded: [UInt8] {
    let counts = [rowsLeft ?? -1, bytesLeft ?? -1, malformed, incomplete, late, missing]
    let value = JSONValue.object([
      ("score", score.json), ("latency", .array(latency.counts.map { .number($0) })),
      ("counts", .array(counts.map { .integer($0) })),
    ])
    return Array(value.serialized(pretty: false).utf8)
  }

  init(encoded bytes: [UInt8], task: ScoreTask, settings: PrequentialScore.Settings) throws {
    let node = try JSONNode(parsing: bytes, dialect: .json, valueLimit: 100_000_000)
    score = try PrequentialScore(task, settings, json: node["score"] ?? JSONNode(.null))
    latency = LatencyHistogram((node["latency"]?.asArray ?? []).compactMap(\.asDouble))
    let counts = (node["counts"]?.asArray ?? []).compactMap(\.asInt)
    precondition(counts.count == 6, "\(counts.count) counts of a rank")
    rowsLeft = counts[0] < 0 ? nil : counts[0]
    bytesLeft = counts[1] < 0 ? nil : counts[1]
    (malformed, incomplete, late, missing) = (counts[2], counts[3], counts[4], counts[5])
  }
}
