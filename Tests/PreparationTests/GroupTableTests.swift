import Data
import Files
import JSON
import MPI
import Testing

@testable import Preparation

/// Groups of rows in memory: their keys, their sums, their limits, and what is said of them.
@Suite struct GroupTableTests {
  private static let schema = Schema([
    ColumnSchema(name: "kind", type: .category, dictionary: ["a", "b,\"c\"", "d"]),
    ColumnSchema(name: "day", type: .dateTime), ColumnSchema(name: "size", type: .integer),
    ColumnSchema(name: "price", type: .real), ColumnSchema(name: "note", type: .text),
    ColumnSchema(name: "open", type: .boolean),
  ])

  private static let block = ColumnBlock(
    rows: 6,
    columns: [
      .codes([2, 0, 2, -1, 0, 1]), .numbers([0, 86_400, 0, .nan, 1_714_566_600.5, -86_400]),
      .numbers([3, -2, .nan, 7, 5, 1]), .numbers([0.1, 1e300, 0.2, .nan, -1e300, 0.5]),
      .texts(["x", nil, "x\u{0}y", "", "x", "é"]), .numbers([1, 0, 1, .nan, 0, 1]),
    ])

  private func report(
    _ by: [String], _ aggregates: [Aggregate] = [], blocks: [ColumnBlock] = [block], limit: Int = 1 << 20
  ) throws -> GroupReport {
    let keys = by.compactMap { Self.schema.index(of: $0) }
    let columns = aggregates.compactMap { aggregate in
      Self.schema.index(of: aggregate.column).map { (aggregate.function, $0) }
    }
    var table = GroupTable(GroupTable.Plan(keys: keys, aggregates: columns, limit: limit))
    for block in blocks { try table.observe(block) }
    try table.gather(SingleRank())
    return GroupReport(table.sorted, schema: Self.schema, keys: keys, aggregates: aggregates)
  }

  @Test func groupsComeInTheOrderOfTheirValues() throws {
    #expect(
      try report(["kind"]).text(.csv) == """
        kind,count
        a,2
        "b,""c""\",1
        d,2
        ,1

        """)
    #expect(try report(["size"]).cells.map { $0[0] } == [-2, 1, 3, 5, 7].map { .integer($0) } + [.missing])
    #expect(
      try report(["note"]).cells.map { $0[0] } == [.text(""), .text("x"), .text("x\u{0}y"), .text("é"), .missing])
    #expect(try report(["note"]).cells.map { $0[1] } == [1, 2, 1, 1, 1].map { .integer($0) })
    #expect(try report(["open"]).cells.map { $0[0] } == [.boolean(false), .boolean(true), .missing])
    #expect(
      try report(["day"]).cells.map { $0[0] } == [
        .text("1969-12-31"), .text("1970-01-01"), .text("1970-01-02"), .text("2024-05-01T12:30:00.5"), .missing,
      ])
    #expect(try report(["open", "kind"]).cells.map { $0[2] } == [2, 1, 2, 1].map { .integer($0) })
  }

  /// The sums lose nothing, in whatever order the rows come.
  @Test func aggregates() throws {
    let aggregates = [
      Aggregate(.sum, of: "price"), Aggregate(.mean, of: "price"), Aggregate(.minimum, of: "price"),
      Aggregate(.maximum, of: "size"), Aggregate(.sum, of: "size"), Aggregate(.mean, of: "size"),
    ]
    let whole = try report(["kind"], aggregates)
    #expect(
      whole.names == ["kind", "count", "sum_price", "mean_price", "min_price", "max_size", "sum_size", "mean_size"])
    let first = whole.cells.map { Array($0.dropFirst(2)) }
    #expect(first[0] == [.real(0), .real(0), .real(-1e300), .integer(5), .integer(3), .real(1.5)])
    #expect(first[2] == [.real(0.1 + 0.2), .real((0.1 + 0.2) / 2), .real(0.1), .integer(3), .integer(3), .real(3)])
    #expect(first[3] == [.real(0), .missing, .missing, .integer(7), .integer(7), .real(7)])
    let rows = [5, 2, 0, 4, 1, 3].map { Self.block.selecting([$0]) }
    #expect(try report(["kind"], aggregates, blocks: rows) == whole)
  }

  @Test func formats() throws {
    let found = try report(["kind", "open"], [Aggregate(.mean, of: "price")])
    #expect(
      found.text(.table) == """
        kind    open  count  mean_price
        a      false      2           0
        b,"c"   true      1         0.5
        d       true      2        0.15
                          1

        """)
    let json = try JSONNode(parsing: Array(found.text(.json).utf8))
    #expect(json.asArray?.count == 4 && json.asArray?[3]["kind"]?.isNull == true)
    #expect(json.asArray?[2]["mean_price"]?.asDouble == 0.15000000000000002)
    #expect(json.asArray?[0]["open"]?.asBool == false && json.asArray?[0]["count"]?.asInt == 2)
  }

  @Test func tooManyGroupsAreRefused() throws {
    let many = ColumnBlock(
      rows: 1_000,
      columns: Self.schema.columns.indices.map {
        $0 == 2 ? .numbers((0..<1_000).map(Double.init)) : .numbers(Array(repeating: 0, count: 1_000))
      })
    #expect(throws: PreparationError.self) { try report(["size"], blocks: [many], limit: 10_000) }
    #expect(try report(["size"], blocks: [many], limit: 100_000).groups == 1_000)
    do {
      _ = try report(["size"], [Aggregate(.sum, of: "price")], blocks: [many], limit: 100_000)
      Issue.record("there is no room for so many sums")
    } catch let error as PreparationError {
      #expect(error.kind == .invalid && error.message.hasPrefix("there are more than 1"))
    }
  }
}
