import JSON
import Kernels
import Online
import Testing

@Suite struct StatisticsTests {
  private static let columns = 11

  private static func rows(_ count: Int, seed: UInt64, missing: Bool = false) -> [Float] {
    var random = RandomStream(seed: seed)
    return (0..<count * columns).map { index in
      let value = Float(random.normal() * Double(index % columns + 1)) + 1000 * Float(index % columns)
      return missing && random.uniform() < 0.1 ? (index % 2 == 0 ? .nan : .infinity) : value
    }
  }

  /// River's `StandardScaler`, one row at a time.
  private static func river(_ rows: [Float]) -> (
    counts: [Double], means: [Double], variances: [Double], scaled: [Float]
  ) {
    var (counts, means, variances) = (
      [Double](repeating: 0, count: columns), [Double](repeating: 0, count: columns),
      [Double](repeating: 0, count: columns)
    )
    let scaled = rows.enumerated().map { index, value in
      let column = index % columns
      guard value.isFinite else { return Float(0) }
      let x = Double(value)
      let old = means[column]
      counts[column] += 1
      means[column] += (x - old) / counts[column]
      variances[column] += ((x - old) * (x - means[column]) - variances[column]) / counts[column]
      return variances[column] > 0 ? Float((x - means[column]) / variances[column].squareRoot()) : 0
    }
    return (counts, means, variances, scaled)
  }

  @Test(arguments: [false, true]) func rowsAreStandardisedAsByRiver(missing: Bool) throws {
    let values = Self.rows(200, seed: 1, missing: missing)
    let expected = Self.river(values)
    let features = FloatBuffer(values)
    var result = FloatBuffer(count: values.count)
    var standardizer = RunningStandardizer(columns: Self.columns, missing: missing ? .impute : .refuse)
    // In parts of any length.
    var first = 0
    for rows in [1, 2, 60, 137] {
      try standardizer.learn(features, rows: first..<first + rows, into: &result, at: first)
      first += rows
    }
    #expect(result.values() == expected.scaled)
    #expect(standardizer.moments.counts == expected.counts && standardizer.moments.means == expected.means)
    #expect(standardizer.moments.variances == expected.variances)
  }

  @Test func missingValuesAreRefusedOrBecomeTheMean() throws {
    let features = FloatBuffer([1, 2, 3, .nan, 5, .infinity] as [Float])
    var result = FloatBuffer(count: 6)
    var strict = RunningStandardizer(columns: 2, scales: false)
    let error = #expect(throws: OnlineError.self) { try strict.learn(features, rows: 0..<3, into: &result) }
    #expect(error?.description == "column 1 of row 1 is nan, not a finite number")
    #expect(strict.moments.counts == [0, 0])
    var imputing = RunningStandardizer(columns: 2, scales: false, missing: .impute)
    try imputing.learn(features, rows: 0..<3, into: &result)
    #expect(result.values() == [1, 2, 3, 2, 5, 2])
    try imputing.transform(features, rows: 1..<2, into: &result, at: 2)
    #expect(result.values() == [1, 2, 3, 2, 3, 2])
  }

  @Test func momentsOfPartsMergeIntoThoseOfAll() throws {
    let values = Self.rows(900, seed: 2, missing: true)
    let features = FloatBuffer(values)
    var whole = RunningMoments(columns: Self.columns)
    whole.observe(features, rows: 0..<900)
    var merged = RunningMoments(columns: Self.columns)
    for part in [0..<0, 0..<7, 7..<400, 400..<400, 400..<900] {
      var moments = RunningMoments(columns: Self.columns)
      moments.observe(features, rows: part)
      merged.merge(try RunningMoments(encoded: moments.encoded))
    }
    #expect(merged.counts == whole.counts)
    for column in 0..<Self.columns {
      #expect(abs(merged.means[column] / whole.means[column] - 1) < 1e-12 || column == 0)
      #expect(abs(merged.variances[column] / whole.variances[column] - 1) < 1e-11)
    }
  }

  /// Ranks that exchange now and then know, after an exchange, what one rank would know, and all the same.
  @Test(arguments: [1, 2, 3, 4]) func ranksShareWhatTheySaw(ranks: Int) throws {
    let values = Self.rows(600, seed: 3)
    let features = FloatBuffer(values)
    var result = FloatBuffer(count: values.count)
    var parts = (0..<ranks).map { _ in RunningStandardizer(columns: Self.columns, shares: true) }
    for row in 0..<600 {
      try parts[row % ranks].learn(features, rows: row..<row + 1, into: &result, at: row)
      guard row % 50 == 49 else { continue }
      let own = parts.indices.map { parts[$0].takeOwn() }
      for rank in parts.indices { parts[rank].absorb(own) }
      if row == 299 {
        for rank in parts.indices {
          let text = parts[rank].json.serialized()
          let resumed = try RunningStandardizer(
            columns: Self.columns, scales: true, missing: .refuse, shares: true,
            json: try JSONNode(parsing: Array(text.utf8)))
          #expect(resumed == parts[rank])
          parts[rank] = resumed
        }
      }
    }
    var whole = RunningMoments(columns: Self.columns)
    whole.observe(features, rows: 0..<600)
    for part in parts {
      #expect(part.moments == parts[0].moments && part.moments.counts == whole.counts)
      for column in 0..<Self.columns {
        #expect(abs(part.moments.variances[column] / whole.variances[column] - 1) < 1e-11)
      }
    }
  }
}
