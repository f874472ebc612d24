import Testing
import Text

@Suite struct TableTests {
  @Test func columnsAreAligned() {
    var table = Table([.init("shard"), .init("rows", .right), .init("type")])
    table.append(["train-00000.h5", "1,347", "float32"])
    table.append(["naïve.h5", "0", ""])
    #expect(
      table.rendered() == """
        shard            rows  type
        train-00000.h5  1,347  float32
        naïve.h5            0

        """)
  }

  @Test func noTitlesNoLine() {
    var table = Table([.init(""), .init("", .right)])
    #expect(table.rendered().isEmpty)
    table.append(["a", "1"])
    table.append(["bb", "22"])
    #expect(table.rendered() == "a    1\nbb  22\n")
  }

  @Test func padding() {
    #expect(padded("ab", to: 4) == "ab  ")
    #expect(padded("ab", to: 4, .right) == "  ab")
    #expect(padded("abcde", to: 4) == "abcde")
  }
}
