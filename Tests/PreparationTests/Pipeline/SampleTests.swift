import MPI
import Testing

@testable import Preparation

/// Samples of the rows of a table.
@Suite struct SampleTests {
  private static let schema = Schema([
    ColumnSchema(name: "w", type: .real), ColumnSchema(name: "kind", type: .category, dictionary: ["a", "b", "c"]),
  ])

  /// The rows that a sample takes of a table in blocks of 1,000 rows, by their places in it.
  private func drawn(
    _ sample: String, weights: [Double], kinds: [Int32], filter: String = "[]", seed: Int = 1
  ) throws -> [Int] {
    let recipe = try Recipe(parsing: Array("{ sample: \(sample), filter: \(filter) }".utf8), source: "prepare.json")
    let pipeline = try Pipeline(recipe, schema: Self.schema, target: nil)
    var draw = try TableSample(try #require(recipe.sample), pipeline, seed: seed)
    var tally = CleaningTally(pipeline)
    let starts = Array(stride(from: 0, to: weights.count, by: 1_000))
    for (block, start) in starts.enumerated() {
      let rows = start..<min(start + 1_000, weights.count)
      let table = ColumnBlock(rows: rows.count, columns: [.numbers(Array(weights[rows])), .codes(Array(kinds[rows]))])
      try draw.observe(try pipeline.clean(table, tally: &tally), block: block)
    }
    let found = try draw.drawn(SingleRank())
    return starts.enumerated().flatMap { block, start in
      (0..<1_000).filter { found[block]?.contains($0) == true }.map { start + $0 }
    }
  }

  @Test(
    arguments: [
      ("{ rows: 10 }", [10, 20, 70], [1, 2, 7]), ("{ fraction: 0.5 }", [3, 3, 3], [2, 2, 1]),
      ("{ fraction: 1 }", [3, 0, 9], [3, 0, 9]), ("{ rows: 1000 }", [4, 5], [4, 5]), ("{ rows: 1 }", [0, 0], [0, 0]),
      ("{ rows: 10, by: 'k', allocation: 'equal' }", [2, 100, 50], [2, 4, 4]),
      ("{ rows: 11, by: 'k', allocation: 'equal' }", [2, 100, 3], [2, 6, 3]),
      ("{ rows: 999, by: 'k', allocation: 'equal' }", [2, 100, 3], [2, 100, 3]),
      ("{ fraction: 0.1 }", [1 << 50, 1 << 52], [112_589_990_684_262, 450_359_962_737_050]),
    ])
  func strataGetTheirRows(sample: String, available: [Int], expected: [Int]) throws {
    let recipe = try Recipe(parsing: Array("{ sample: \(sample) }".utf8), source: "prepare.json")
    let quotas = try #require(recipe.sample).quotas(available)
    #expect(quotas == expected)
  }

  @Test func aSampleHasExactlyTheRowsAskedFor() throws {
    let kinds = (0..<10_000).map { Int32($0 % 10 == 0 ? 0 : $0 % 10 == 1 ? 1 : 2) }
    let weights = [Double](repeating: 1, count: kinds.count)
    func count(_ rows: [Int]) -> [Int] { (0..<3).map { kind in rows.filter { kinds[$0] == kind }.count } }
    let plain = try drawn("{ rows: 500 }", weights: weights, kinds: kinds)
    #expect(plain.count == 500)
    // Every block gives about its part: 50 of each tenth, within six standard deviations.
    for block in 0..<10 { #expect(abs(plain.filter { $0 / 1_000 == block }.count - 50) < 42) }
    #expect(try count(drawn("{ fraction: 0.05, by: 'kind' }", weights: weights, kinds: kinds)) == [50, 50, 400])
    let equal = try drawn("{ rows: 2500, by: 'kind', allocation: 'equal' }", weights: weights, kinds: kinds)
    #expect(count(equal) == [833, 833, 834])
    // A smaller sample is a part of a larger one, and another seed draws another.
    let fewer = try drawn("{ rows: 100 }", weights: weights, kinds: kinds)
    #expect(Set(fewer).isSubset(of: plain) && fewer.count == 100)
    let other = try drawn("{ rows: 500 }", weights: weights, kinds: kinds, seed: 2)
    #expect(Set(other).intersection(plain).count < 60)
    let named = try drawn("{ rows: 500, seed: 2 }", weights: weights, kinds: kinds)
    #expect(named == other)
    // What a filter leaves out is not drawn from.
    let filtered = try drawn("{ rows: 500 }", weights: weights, kinds: kinds, filter: "\"kind == 'a'\"")
    #expect(filtered.count == 500 && filtered.allSatisfy { kinds[$0] == 0 })
  }

  /// Chances of a small sample are as the weights are.
  @Test func chancesGoByWeights() throws {
    let rows = 40_000
    let kinds = [Int32](repeating: 0, count: rows)
    let weights = (0..<rows).map { Double($0 % 4) }
    let drawn = try drawn("{ rows: 1200, weight: 'w' }", weights: weights, kinds: kinds)
    #expect(drawn.count == 1_200)
    let counts = (0..<4).map { weight in drawn.filter { $0 % 4 == weight }.count }
    // One, two and three sixths of 1,200, within six standard deviations.
    #expect(counts[0] == 0)
    for weight in 1...3 { #expect(abs(counts[weight] - 200 * weight) < 105, "\(counts)") }
    // All that have a weight at all, where more are asked for.
    #expect(try self.drawn("{ rows: 40000, weight: 'w' }", weights: weights, kinds: kinds).count == 30_000)
  }

  @Test(arguments: [-1, .nan, .infinity])
  func aWeightThatIsNoneIsAnError(weight: Double) throws {
    // Infinite values never come out of a table; a missing one does.
    let kinds: [Int32] = [0, 0]
    #expect(throws: PreparationError.self) {
      try self.drawn("{ rows: 1, weight: 'w' }", weights: [1, weight], kinds: kinds)
    }
  }

  @Test(
    arguments: [
      ("{}", "neither"), ("{ rows: 1, fraction: 0.5 }", "contradict"), ("{ rows: 0 }", "rows"),
      ("{ fraction: 0 }", "fraction"), ("{ fraction: 1.5 }", "fraction"),
      ("{ rows: 1, allocation: 'equal' }", "needs"), ("{ rows: 1, of: 'w' }", "of"),
    ])
  func faultsOfSamplesAreSaid(sample: String, word: String) {
    do {
      _ = try Recipe(parsing: Array("{ sample: \(sample) }".utf8), source: "prepare.json")
      Issue.record("\(sample) was read")
    } catch {
      #expect("\(error)".contains(word), "\(error)")
    }
  }
}
