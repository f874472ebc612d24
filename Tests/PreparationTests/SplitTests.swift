import Testing

@testable import Preparation

struct SplitTests {
  @Test(arguments: [0, 1, 2, 3, 4, 5, 7, 16, 17, 100, 1_000, 4_097])
  func aPermutationMeetsEveryPlaceOnce(count: Int) {
    for seed in 0..<3 as Range<UInt64> {
      let permutation = Permutation(count: count, seed: seed, stratum: 2)
      #expect((0..<count).map { permutation[$0] }.sorted() == Array(0..<count))
    }
  }

  /// Eight at a time, also from places that are no multiple of eight, and past the last number.
  @Test(arguments: [1, 2, 7, 8, 9, 31, 1_000, 65_537, 1_000_003])
  func placesAreFoundEightAtATime(count: Int) {
    let permutation = Permutation(count: count, seed: 5, stratum: 1)
    for first in Array(0..<min(count, 40)) + [count / 2, count - 1] {
      let places = permutation.places(from: first)
      for lane in 0..<min(8, count - first) { #expect(Int(places[lane]) == permutation[first + lane]) }
    }
  }

  @Test func aPermutationSpreadsEvenly() {
    // Of 10,000 neighbours, each tenth of the places gets about a tenth: within six standard deviations.
    let permutation = Permutation(count: 1_000_003, seed: 1, stratum: 0)
    var counts = [Int](repeating: 0, count: 10)
    for number in 500_000..<510_000 { counts[permutation[number] * 10 / 1_000_003] += 1 }
    for count in counts { #expect(abs(count - 1_000) < 180) }
    let other = Permutation(count: 1_000_003, seed: 2, stratum: 0)
    #expect((0..<100).filter { permutation[$0] == other[$0] }.count < 3)
  }

  @Test(
    arguments: [
      (10, 0.0, 0.2, [8, 0, 2]), (10, 0.1, 0.2, [7, 1, 2]), (5, 0.0, 0.2, [4, 0, 1]), (1, 0.1, 0.2, [1, 0, 0]),
      (2, 0.0, 0.5, [1, 0, 1]), (3, 0.0, 0.5, [2, 0, 1]), (7, 0.1, 0.2, [5, 1, 1]), (0, 0.1, 0.2, [0, 0, 0]),
      (442, 0.0, 0.2, [354, 0, 88]), (100, 0.0, 0.0, [100, 0, 0]), (3, 0.45, 0.45, [0, 2, 1]),
      (1_000_000_000_000, 0.1, 0.2, [700_000_000_000, 100_000_000_000, 200_000_000_000]),
    ])
  func sharesFollowTheLargestRemainder(count: Int, validation: Double, test: Double, expected: [Int]) {
    let shares = Split.shares(of: count, fractions: SplitFractions(validation: validation, test: test))
    #expect(SplitName.allCases.map { shares[$0, default: -1] } == expected)
  }

  @Test func everyStratumIsCutExactly() {
    let counts = [57, 1, 0, 10, 333]
    let fractions = SplitFractions(validation: 0.15, test: 0.25)
    var split = Split(strata: counts, fractions: fractions, seed: 5)
    var total: [SplitName: Int] = [:]
    for (stratum, count) in counts.enumerated() {
      var found: [SplitName: Int] = [:]
      for _ in 0..<count { if let name = split.next(stratum: stratum) { found[name, default: 0] += 1 } }
      #expect(split.next(stratum: stratum) == nil)
      let shares = Split.shares(of: count, fractions: fractions)
      for name in SplitName.allCases {
        #expect(found[name, default: 0] == shares[name, default: 0])
        total[name, default: 0] += found[name, default: 0]
      }
    }
    #expect(total == split.rows)
  }

  /// Rows that are dealt together go where each goes alone, wherever the first and the last of them stand.
  @Test func rowsAreDealtTogetherAsOneByOne() {
    let fractions = SplitFractions(validation: 0.1, test: 0.3)
    var alone = Split(strata: [100], fractions: fractions, seed: 9)
    var together = Split(strata: [100], fractions: fractions, seed: 9)
    for count in [0, 1, 6, 3, 40, 9, 1, 40] {
      let expected = (0..<count).map { _ in alone.next(stratum: 0)?.route }
      #expect(together.next(count) == expected.compactMap { $0 } && !expected.contains(nil))
    }
    #expect(together.next(1) == nil)
  }

  @Test func testRowsDoNotDependOnTheValidationFraction() {
    var first = Split(strata: [200], fractions: SplitFractions(validation: 0, test: 0.2), seed: 3)
    var second = Split(strata: [200], fractions: SplitFractions(validation: 0.3, test: 0.2), seed: 3)
    for _ in 0..<200 { #expect((first.next(stratum: 0) == .test) == (second.next(stratum: 0) == .test)) }
  }

  @Test(arguments: [(-0.1, 0.2), (0.1, 1.0), (0.5, 0.5), (0.0, .nan), (.infinity, 0.1)] as [(Double, Double)])
  func refusesFractionsThatLeaveNothing(validation: Double, test: Double) {
    #expect(throws: PreparationError.self) { try SplitFractions(validation: validation, test: test).check() }
  }
}

struct ColumnMomentsTests {
  @Test func agreesWithTwoPassesInDouble() {
    var generator = SplitMix(state: 3)
    let rows = 5_000
    // A mean far larger than the spread, a small one, a constant, and a constant that is no binary fraction.
    let values: [[Float]] = (0..<rows).map { _ in
      [
        1_000_000 + Float.random(in: -1...1, using: &generator), Float.random(in: -1e-6...1e-6, using: &generator), 5,
        0.1,
      ]
    }
    var moments = ColumnMoments(columns: 4)
    for row in values { moments.add(row.span, at: 0) }
    for column in 0..<4 {
      let mean = values.reduce(0.0) { $0 + Double($1[column]) } / Double(rows)
      let variance =
        values.reduce(0.0) { $0 + (Double($1[column]) - mean) * (Double($1[column]) - mean) } / Double(rows)
      #expect(abs(moments.means[column] - mean) <= 1e-12 * abs(mean) + 1e-18)
      if column < 2 {
        #expect(abs(moments.scales[column] / variance.squareRoot() - 1) < 1e-10)
      } else {
        #expect(moments.scales[column] == 1)
        #expect(moments.means[column] == Double(values[0][column]))
      }
    }
  }

  @Test func scalesOfNothingAreOne() {
    #expect(ColumnMoments(columns: 2).scales == [1, 1])
  }
}

struct TargetScanTests {
  /// What a column of these values is taken for.
  private func decide(_ values: [String], _ task: TargetTask = .automatic) throws(PreparationError) -> TargetPlan {
    let bytes = Array(("t\n" + values.joined(separator: "\n")).utf8)
    var reader = try CSVReader(.bytes(bytes), path: "t.csv")
    var scan = TargetScan(column: "t")
    while try reader.next() {
      for record in 0..<reader.block.records { _ = try scan.observe(reader.block[record, 0], in: reader) }
    }
    return try scan.decide(task) { try? PreparationError.Place(ofByte: $0.byte, in: .bytes(bytes), path: "t.csv") }
      .target
  }

  private func classes(_ values: [String], _ task: TargetTask = .automatic) throws -> [String]? {
    guard case .classes(let names, _) = try decide(values, task) else { return nil }
    return names
  }

  @Test func takesTextForClassesInBytewiseOrder() throws {
    #expect(try classes(["b", "a", "Z", "é", "b", " a "]) == ["Z", "a", "b", "é"])
    #expect(try decide(["b", "a", "b"]) == .classes(names: ["a", "b"], rows: [1, 2]))
  }

  @Test func takesFewWholeNumbersForClassesInNumericOrder() throws {
    let values = (0..<60).map { ["10", "9", "2.0", "-1", "-0"][$0 % 5] }
    #expect(try classes(values) == ["-1", "0", "2", "9", "10"])
    #expect(try classes(["0", "1", "1"]) == ["0", "1"])
    #expect(try decide(["0", "1", "1.0"]) == .classes(names: ["0", "1"], rows: [1, 2]))
  }

  @Test func takesQuantitiesForRegression() throws {
    #expect(try decide(["0.5", "1", "1"]) == .values)
    #expect(try decide(["1", "2", "3", "4"]) == .values)
    #expect(try decide((0..<2_000).map { "\($0 % 101)" }) == .values)
    #expect(try classes((0..<2_000).map { "\($0 % 100)" })?.count == 100)
    #expect(try decide(["7", "7", "7"]) == .values)
    #expect(try decide((0..<30_000).map { "\($0)" }) == .values)
  }

  @Test func doesWhatIsAskedFor() throws {
    #expect(try decide(["0", "1"], .regression) == .values)
    #expect(try classes(["0.5", "1", "-3"], .classification) == ["-3", "0.5", "1"])
    #expect(throws: PreparationError.self) { try decide(["1", "x"], .regression) }
    #expect(throws: PreparationError.self) { try decide((0..<10_001).map { "\($0)" }, .classification) }
    #expect(throws: PreparationError.self) { try decide((0..<10_001).map { "t\($0)" }) }
    #expect(try classes((0..<10_000).map { "t\($0)" })?.count == 10_000)
  }

  @Test func takesTextAmongQuantitiesForAMistake() throws {
    let mixed = (0..<50).map { "\($0)" } + ["1O"]
    #expect {
      try decide(mixed)
    } throws: {
      "\($0)" == "t.csv:52:1: column 't': '1O' is not a number"
    }
    #expect(try classes((0..<60).map { ["1", "2", "other"][$0 % 3] }) == ["1", "2", "other"])
  }

  @Test func findsTheClassOfAField() throws {
    let index = ClassIndex(names: ["-1", "2", "other", "say \"x\""])
    var reader = try CSVReader(.bytes(Array("t\n2.0\n-1\n other \n\"say \"\"x\"\"\"\n3\nOther\n".utf8)), path: "t.csv")
    var found: [Int32?] = []
    while try reader.next() {
      for record in 0..<reader.block.records {
        found.append(index.index(of: reader.block[record, 0], in: reader.block))
      }
    }
    #expect(found == [1, 0, 2, 3, nil, nil])
  }
}
