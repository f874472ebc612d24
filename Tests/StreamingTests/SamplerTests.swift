import Testing

@testable import Streaming

/// Which rows of a source a sample takes.
@Suite struct SamplerTests {
  private func taken(_ rule: SampleRule, _ rows: Int, source: String = "a", _ row: (Int) -> (Float, Float)) throws
    -> [Int]
  {
    let sampler = try #require(RowSampler(rule, source: source, columns: ["x", "w"]))
    return (0..<rows).filter { number in
      let (target, weight) = row(number)
      return sampler.takes(number, target: target) { $0 == 1 ? weight : -1 } == true
    }
  }

  @Test func everyRowHasItsChance() throws {
    let rule = SampleRule(fraction: 0.2)
    let rows = try taken(rule, 50_000) { _ in (0, 0) }
    // Six standard deviations.
    #expect(abs(rows.count - 10_000) < 540)
    #expect(try taken(rule, 50_000) { _ in (0, 0) } == rows)
    let other = try taken(rule, 50_000, source: "b") { _ in (0, 0) }
    #expect(abs(Set(other).intersection(rows).count - 2_000) < 270)
    let reseeded = try taken(SampleRule(fraction: 0.2, seed: 1), 50_000) { _ in (0, 0) }
    #expect(abs(Set(reseeded).intersection(rows).count - 2_000) < 270)
  }

  @Test func classesAndWeightsChangeChances() throws {
    let strata = try taken(SampleRule(fraction: 0.5, classes: [0.2, 1]), 20_000) { (Float($0 % 2), 0) }
    #expect(abs(strata.filter { $0 % 2 == 0 }.count - 1_000) < 180)
    #expect(abs(strata.filter { $0 % 2 == 1 }.count - 5_000) < 300)
    let weighted = try taken(SampleRule(fraction: 0.1, weight: "w"), 30_000) { (0, [0, 2, 100][$0 % 3]) }
    #expect(weighted.allSatisfy { $0 % 3 != 0 })
    #expect(abs(weighted.filter { $0 % 3 == 1 }.count - 2_000) < 240)
    #expect(weighted.filter { $0 % 3 == 2 }.count == 10_000)
  }

  @Test func weightsThatAreNone() throws {
    let rule = SampleRule(weight: "w")
    #expect(RowSampler(rule, source: "a", columns: ["x"]) == nil)
    let sampler = try #require(RowSampler(rule, source: "a", columns: ["x", "w"]))
    for weight in [-1, .nan, .infinity] as [Float] { #expect(sampler.takes(0, target: 0) { _ in weight } == nil) }
  }
}
