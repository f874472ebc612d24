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
  private(set) var leftOut: RowsLeftOut

  init(score: PrequentialScore, latency: LatencyHistogram, sources: [StreamSource]) {
    func known(_ values: [Int?]) -> Int? {
      let known = values.compactMap { $0 }
      return known.isEmpty ? nil : known.reduce(0, +)
    }
    self.score = score
    self.latency = latency
    rowsLeft = known(sources.map(\.rowsLeft))
    bytesLeft = known(sources.map(\.bytesLeft))
    leftOut = sources.reduce(into: RowsLeftOut()) { $0 += $1.position.leftOut }
  }

  /// Adds those of another rank.
  mutating func merge(_ other: RankMeasures) {
    func sum(_ a: Int?, _ b: Int?) -> Int? { a == nil && b == nil ? nil : (a ?? 0) + (b ?? 0) }
    score.merge(other.score)
    latency.add(other.latency)
    rowsLeft = sum(rowsLeft, other.rowsLeft)
    bytesLeft = sum(bytesLeft, other.bytesLeft)
    leftOut += other.leftOut
  }

  /// As bytes for rank 0.
  var encoded: [UInt8] {
    let lag = [rowsLeft ?? -1, bytesLeft ?? -1]
    let value = JSONValue.object([
      ("score", score.json), ("latency", .array(latency.counts.map { .number($0) })),
      ("lag", .array(lag.map { .integer($0) })), ("left_out", .object(leftOut.members)),
    ])
    return Array(value.serialized(pretty: false).utf8)
  }

  init(encoded bytes: [UInt8], task: ScoreTask, settings: PrequentialScore.Settings) throws {
    let node = try JSONNode(parsing: bytes, dialect: .json, valueLimit: 100_000_000)
    score = try PrequentialScore(task, settings, json: node["score"] ?? JSONNode(.null))
    latency = LatencyHistogram((node["latency"]?.asArray ?? []).compactMap(\.asDouble))
    let lag = (node["lag"]?.asArray ?? []).compactMap(\.asInt)
    guard lag.count == 2, let leftOut = node["left_out"].flatMap(RowsLeftOut.init) else {
      preconditionFailure("the measures of a rank without its counts")
    }
    rowsLeft = lag[0] < 0 ? nil : lag[0]
    bytesLeft = lag[1] < 0 ? nil : lag[1]
    self.leftOut = leftOut
  }
}
