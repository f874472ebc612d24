import JSON
import Testing

@testable import Streaming

/// What ranks tell each other and what checkpoints keep comes back as it was.
@Suite struct StateTests {
  @Test func reportsOfRanks() {
    var report = RankReport()
    #expect(RankReport(encoded: report.encoded) == report)
    report.flags = [.stops, .saves]
    report.rows = 12_345
    report.errors = [0, 1, 0.25]
    report.oldLosses = [1]
    report.freshLosses = [2]
    report.columns = [3, 1]
    #expect(RankReport(encoded: report.encoded) == report)
  }

  @Test func positions() throws {
    var position = SourcePosition(path: "folder")
    position.rows = 17
    position.leftOut.malformed = 1
    position.leftOut.incomplete = 2
    position.leftOut.late = 3
    position.latest = 0.1
    position.finished = ["a.csv", "b.csv"]
    position.file = SourcePosition.File(name: "c.csv")
    position.file?.rows = 5
    position.file?.bytes = 99
    let text = position.json.serialized(pretty: false)
    #expect(try SourcePosition(JSONNode(parsing: Array(text.utf8), dialect: .json)) == position)
    #expect(throws: (any Error).self) { try SourcePosition(JSONNode(.object([("path", .string("x"))]))) }
  }

  /// Quantiles are those of the times themselves, to the width of a bin.
  @Test func latencies() throws {
    var histogram = LatencyHistogram()
    #expect(histogram.quantile(0.5) == nil)
    for millisecond in 1...1000 { histogram.add(seconds: Double(millisecond) / 1000) }
    for share in [0.1, 0.5, 0.99] {
      let quantile = try #require(histogram.quantile(share))
      #expect(abs(quantile / share - 1) < 0.06, "\(share): \(quantile)")
    }
    var other = LatencyHistogram(histogram.counts)
    other.add(histogram)
    #expect(other.quantile(0.5) == histogram.quantile(0.5))
    histogram.add(seconds: .infinity)
    histogram.add(seconds: 0)
  }
}
