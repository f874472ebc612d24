import JSON
import Online
import Testing

@Suite struct ReservoirTests {
  private struct Row {
    let number: UInt64
    /// Class 0 is common, class 2 rare.
    let stratum: Int
    let weight: Double

    init(_ index: Int) {
      number = UInt64(index) << 3 | 5
      stratum = index.isMultiple(of: 100) ? 2 : index.isMultiple(of: 10) ? 1 : 0
      weight = index.isMultiple(of: 4) ? 4 : 1
    }
  }

  private static let rows = (0..<5000).map { Row($0) }

  private static func sample(_ kind: Reservoir.Kind, _ part: [Int], seed: UInt64 = 9) throws -> Reservoir {
    var reservoir = try Reservoir(kind, capacity: 120, seed: seed)
    for index in part {
      let row = rows[index]
      reservoir.offer(number: row.number, stratum: row.stratum, weight: row.weight) { [Float(index), 1] }
    }
    return reservoir
  }

  @Test(arguments: Reservoir.Kind.allCases) func partsMergeIntoTheWhole(kind: Reservoir.Kind) throws {
    let whole = try Self.sample(kind, Array(0..<5000))
    #expect(whole.rows.count == 120 && whole.seen == 5000)
    // Any order, any parts: also a part with fewer rows than room.
    #expect(try Self.sample(kind, (0..<5000).reversed()) == whole)
    for ranks in [2, 3, 60] {
      var merged = try Self.sample(kind, (0..<5000).filter { $0 % ranks == 0 })
      for rank in 1..<ranks { try merged.merge(Self.sample(kind, (0..<5000).filter { $0 % ranks == rank })) }
      #expect(merged == whole, "\(ranks) ranks")
    }
    #expect(try Self.sample(kind, Array(0..<5000), seed: 10).rows != whole.rows)
  }

  @Test func everyRowHasTheSameChance() throws {
    var hits = [Int](repeating: 0, count: 50)
    for seed in 0..<200 as Range<UInt64> {
      for row in try Self.sample(.uniform, Array(0..<5000), seed: seed).rows { hits[Int(row.values[0]) / 100] += 1 }
    }
    // 480 expected in each, with a deviation of about 22.
    #expect(hits.reduce(0, +) == 200 * 120)
    #expect(hits.allSatisfy { abs($0 - 480) < 110 }, "\(hits)")
  }

  @Test func everyStratumHasTheSameRows() throws {
    let rows = try Self.sample(.stratified, Array(0..<5000)).rows
    // 50 rows of class 2 are there, so that 40 of each are kept.
    #expect((0..<3).map { stratum in rows.count { $0.stratum == stratum } } == [40, 40, 40])
    let few = try Self.sample(.stratified, Array(0..<1100)).rows
    #expect((0..<3).map { stratum in few.count { $0.stratum == stratum } } == [55, 54, 11])
  }

  @Test func heavyRowsComeMoreOften() throws {
    var heavy = 0
    for seed in 0..<50 as Range<UInt64> {
      heavy += try Self.sample(.weighted, Array(0..<5000), seed: seed).rows.count { $0.weight == 4 }
    }
    // A quarter of the rows with four times the weight: 4 / 7 of a small sample, 3429 of 6000.
    #expect(abs(heavy - 3429) < 170, "\(heavy)")
  }

  @Test func rowsWithoutWeightAreNotKept() throws {
    var reservoir = try Reservoir(.weighted, capacity: 3, seed: 1)
    for (number, weight) in [0, -1, .nan, .infinity, 0.5].enumerated() {
      reservoir.offer(number: UInt64(number), weight: weight) { [] }
    }
    #expect(reservoir.rows.map(\.number) == [4] && reservoir.seen == 5)
    #expect(throws: OnlineError.self) { try Reservoir(.uniform, capacity: 0, seed: 1) }
    #expect(throws: OnlineError.self) { try reservoir.merge(Reservoir(.weighted, capacity: 3, seed: 2)) }
  }

  @Test(arguments: Reservoir.Kind.allCases) func goesOnBitForBit(kind: Reservoir.Kind) throws {
    let half = try Self.sample(kind, Array(0..<2500))
    let text = half.json.serialized()
    var resumed = try Reservoir(kind, capacity: 120, seed: 9, json: try JSONNode(parsing: Array(text.utf8)))
    #expect(resumed == half && resumed.json == half.json)
    for index in 2500..<5000 {
      let row = Self.rows[index]
      resumed.offer(number: row.number, stratum: row.stratum, weight: row.weight) { [Float(index), 1] }
    }
    #expect(try resumed == Self.sample(kind, Array(0..<5000)))
    #expect(throws: OnlineError.self) {
      try Reservoir(kind, capacity: 119, seed: 9, json: try JSONNode(parsing: Array(text.utf8)))
    }
  }

  @Test func aReplayTakesEveryRowOnceBeforeAnyTwice() throws {
    let replay = ReplaySample(try Self.sample(.uniform, Array(0..<5000)))
    let drawn = replay.draw(300, number: 4).map(\.number)
    #expect(
      drawn.count == 300 && Set(drawn.prefix(120)).count == 120 && Set(drawn.prefix(240).dropFirst(120)).count == 120)
    #expect(replay.draw(300, number: 4).map(\.number) == drawn)
    #expect(replay.draw(300, number: 5).map(\.number) != drawn)
    #expect(ReplaySample(try Reservoir(.uniform, capacity: 3, seed: 1)).draw(4, number: 0).isEmpty)
  }
}
