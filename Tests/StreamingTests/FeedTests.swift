import Testing

@testable import Streaming

/// Texts that come in pieces of any size give the rows that they give as a whole.
@Suite struct FeedTests {
  private static let schema = RowSchema(
    columns: [], target: "y", featuresDataset: "", targetsDataset: "", classes: ["no", "yes"], time: "t")

  private static let lines = """
    {"t": 1, "a": 1.5, "b": true, "y": "yes"}
    {"t": 2, "b": false, "a": -2e3, "y": "no", "more": [1]}

    {"t": 3, "a": null, "y": "no"}
    not a row
    {"t": 4, "a": "x", "b": 1, "y": "no"}
    {"t": 5, "a": 1, "b": 1, "y": "perhaps"}
    {"t": 6, "a": 7, "b": 8, "y": "yes"}
    {"t": 7, "a": 7, "b": 8, "y": 3.0}
    {"t": 8, "a": 7, "b": 8, "y": "n/a"}
    """

  private struct Row: Equatable {
    var event: SourceEvent
    var values: [Float]
    var target: Float
    var time: Double
  }

  private func rows(pieces: Int) -> [Row] {
    var feed = JSONLineFeed(Self.schema)
    let bytes = Array(Self.lines.utf8)
    var rows: [Row] = []
    var given = 0
    while true {
      var values: [Float] = [0, 0]
      var (target, time) = (Float(0), 0.0)
      var span = values.mutableSpan
      let event = feed.open() ? feed.next(into: &span, at: 0, target: &target, time: &time) : .nothing
      if event == .nothing {
        if given == bytes.count { return rows }
        let end = min(given + pieces, bytes.count)
        feed.append(Array(bytes[given..<end]))
        given = end
        if given == bytes.count { feed.finish() }
        continue
      }
      // What a row that is passed over has left in its place is of no meaning.
      rows.append(
        event == .row
          ? Row(event: event, values: values, target: target, time: time)
          : Row(event: event, values: [], target: 0, time: 0))
    }
  }

  @Test func jsonLinesInPieces() {
    let whole = rows(pieces: .max / 2)
    #expect(whole.count == 9)
    #expect(whole[0] == Row(event: .row, values: [1.5, 1], target: 1, time: 1))
    #expect(whole[1] == Row(event: .row, values: [-2000, 0], target: 0, time: 2))
    #expect(whole[2].event == .row && whole[2].values[0].isNaN && whole[2].values[1].isNaN)
    #expect(whole[3].event == .malformed("it is no JSON object"))
    #expect(whole[4].event == .malformed("'a' is no number"))
    #expect(whole[5].event == .unknownClass("perhaps"))
    #expect(whole[7].event == .unknownClass("3"))
    #expect(whole[8].event == .malformed("'y' is none of the classes"))
    #expect(whole[6] == Row(event: .row, values: [7, 8], target: 1, time: 6))
    for pieces in [1, 2, 7, 50] {
      let parts = rows(pieces: pieces)
      #expect(parts.map(\.event) == whole.map(\.event) && parts.map(\.time) == whole.map(\.time))
    }
  }
}
