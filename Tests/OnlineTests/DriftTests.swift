import JSON
import Kernels
import Online
import TestSupport
import Testing

@Suite struct DriftTests {
  static let detectors: [(String, DriftSettings)] = {
    var adwin = ADWIN.Settings()
    (adwin.delta, adwin.clock, adwin.maxBuckets) = (0.05, 1, 3)
    var test = PageHinkley.Settings()
    (test.threshold, test.delta, test.alpha) = (10, 0.01, 0.999)
    return [
      ("adwin", DriftSettings(.adwin)), ("adwin-clock-1", .adwin(adwin)), ("ddm", DriftSettings(.ddm)),
      ("page_hinkley", DriftSettings(.pageHinkley)), ("page_hinkley-sensitive", .pageHinkley(test)),
    ]
  }()

  static let kinds = DriftDetectorKind.allCases

  private func check(_ river: River, _ name: String, _ settings: DriftSettings) throws {
    let signals = try #require(river.signals[name])
    var detector = try DriftDetector(settings)
    var drifts: [Int] = []
    var warnings: [Int] = []
    for (row, value) in river.values.enumerated() {
      switch detector.update(value) {
      case .drift: drifts.append(row)
      case .warning: warnings.append(row)
      case .none: break
      }
    }
    #expect(drifts == signals.drifts)
    #expect(warnings == signals.warnings.flatMap { Array($0[0]..<$0[1]) })
  }

  @Test(arguments: detectors) func signalsAreThoseOfRiverOnElectricity(name: String, settings: DriftSettings) throws {
    let river = try River.kept()
    #expect(river.river == "0.26.1" && river.rows == 45_312)
    #expect(try #require(river.signals[name]).drifts.count >= 10)
    try check(river, name, settings)
  }

  /// The kept figures are those of the River that is installed.
  @Test(.enabled(if: Python.isAvailable)) func signalsAreThoseOfRiverNow() throws {
    let river = try River.live(rows: 6000)
    for (name, settings) in Self.detectors { try check(river, name, settings) }
    let kept = try River.kept()
    #expect(river.values.elementsEqual(kept.values.prefix(6000)))
  }

  /// Errors of a share that changes at row 5000: at once, or over 1000 rows.
  private func errors(_ rows: Int, seed: UInt64, from old: Float, to new: Float, width: Int) -> [Double] {
    var random = RandomStream(seed: seed)
    return (0..<rows).map { row in
      let passed = min(max(Float(row - 5000) / Float(max(width, 1)), 0), 1)
      return random.uniform() < old + (new - old) * (row < 5000 ? 0 : width == 0 ? 1 : passed) ? 1 : 0
    }
  }

  /// The defaults, but for Page and Hinkley's test without fading: with River's numbers it raises an alarm every 20,000 rows of errors that do
  /// not change.
  private static func careful(_ kind: DriftDetectorKind) -> DriftSettings {
    guard kind == .pageHinkley else { return DriftSettings(kind) }
    var test = PageHinkley.Settings()
    (test.threshold, test.delta, test.alpha) = (60, 0.02, 1)
    return .pageHinkley(test)
  }

  @Test(arguments: kinds, [0, 300]) func driftIsFoundWithin500Rows(kind: DriftDetectorKind, width: Int) throws {
    for seed in 1...5 as ClosedRange<UInt64> {
      var detector = try DriftDetector(Self.careful(kind))
      let values = errors(6000, seed: seed, from: 0.1, to: 0.5, width: width)
      let found = values.indices.filter { detector.update(values[$0]) == .drift }
      let first = try #require(found.first { $0 >= 5000 })
      #expect(first < 5500, "seed \(seed)")
    }
  }

  @Test(arguments: [DriftDetectorKind.adwin, .pageHinkley]) func fewFalseAlarms(kind: DriftDetectorKind) throws {
    for seed in 1...3 as ClosedRange<UInt64> {
      var detector = try DriftDetector(Self.careful(kind))
      let values = errors(100_000, seed: seed, from: 0.2, to: 0.2, width: 0)
      let alarms = values.count { detector.update($0) == .drift }
      #expect(alarms <= 1, "\(alarms) alarms, seed \(seed)")
    }
  }

  @Test(arguments: detectors) func goesOnBitForBit(name: String, settings: DriftSettings) throws {
    let values = errors(8000, seed: 7, from: 0.2, to: 0.6, width: 0)
    var whole = try DriftDetector(settings)
    for stop in [0, 1, 33, 4999, 5100, 5203] {
      whole = try DriftDetector(settings)
      for value in values.prefix(stop) { _ = whole.update(value) }
      let text = whole.json.serialized()
      var resumed = try DriftDetector(settings, json: try JSONNode(parsing: Array(text.utf8)))
      #expect(resumed == whole)
      for value in values.dropFirst(stop) {
        let (own, other) = (resumed.update(value), whole.update(value))
        #expect(own == other)
      }
      #expect(resumed == whole && resumed.json == whole.json)
    }
  }

  @Test func damagedStatesAreRefused() throws {
    let settings = DriftSettings(.adwin)
    var detector = try DriftDetector(settings)
    for value in 0..<100 { _ = detector.update(Double(value % 3)) }
    let text = detector.json.serialized()
    for (from, to) in [("\"width\":100", "\"width\":99"), ("\"levels\":[", "\"levels\":[3,"), ("total", "totals")] {
      let damaged = text.replacing(from, with: to)
      #expect(damaged != text)
      #expect(throws: OnlineError.self) {
        try DriftDetector(settings, json: try JSONNode(parsing: Array(damaged.utf8)))
      }
    }
  }

  @Test func settingsThatMakeNoSenseAreRefused() {
    var adwin = ADWIN.Settings()
    adwin.delta = 0
    var ddm = DDM.Settings()
    ddm.driftThreshold = 1
    var test = PageHinkley.Settings()
    test.alpha = 1.5
    for settings in [DriftSettings.adwin(adwin), .ddm(ddm), .pageHinkley(test)] {
      #expect(throws: OnlineError.self) { try DriftDetector(settings) }
    }
    #expect(throws: OnlineError.self) { try FeatureDrift(DriftSettings(.ddm), columns: 3) }
    #expect(throws: OnlineError.self) { try DriftEvidence(rowsPerValue: 2, for: DriftSettings(.ddm)) }
    #expect(throws: OnlineError.self) { try SwitchRule(minimumRows: 1) }
  }

  /// Rows dealt to ranks in turn make the sequence of one rank, whenever the ranks exchange.
  @Test(arguments: [1, 2, 3, 4]) func evidenceOfRanksIsThatOfOne(ranks: Int) throws {
    let values = errors(6000, seed: 3, from: 0.1, to: 0.5, width: 0)
    let settings = DriftSettings(.adwin)
    var alone = try DriftDetector(settings)
    let expected = values.map { alone.update($0) }
    var evidence = try (0..<ranks).map { _ in try DriftEvidence(for: settings) }
    var detector = try DriftDetector(settings)
    var signals: [DriftSignal] = []
    for (row, value) in values.enumerated() {
      evidence[row % ranks].add(value)
      if row % (ranks * 17) == ranks * 17 - 1 || row == values.count - 1 {
        for value in DriftEvidence.merged(evidence.indices.map { evidence[$0].take() }) {
          signals.append(detector.update(value))
        }
      }
    }
    #expect(signals == expected)
    #expect(detector == alone)
  }

  @Test func evidenceOfSeveralRowsIsTheirMean() throws {
    var evidence = try DriftEvidence(rowsPerValue: 4, for: DriftSettings(.adwin))
    for value in [1, 0, 0, 1, 1, .nan, 1] as [Double] { evidence.add(value) }
    #expect(evidence.take() == [0.5])
    evidence.add(0)
    evidence.add(0)
    #expect(evidence.take() == [0.5])
    #expect(DriftEvidence.merged([[1, 2, 3], [], [4, 5]]) == [1, 4, 2, 5, 3])
  }

  @Test func theColumnThatDriftsIsNamed() throws {
    var drift = try FeatureDrift(DriftSettings(.adwin), columns: 3)
    var random = RandomStream(seed: 5)
    var row = FloatBuffer(count: 3)
    var found: [Int: Set<Int>] = [:]
    for number in 0..<4000 {
      for column in 0..<3 { row[column] = Float(random.normal()) + (column == 1 && number >= 2000 ? 2 : 0) }
      if number % 7 == 0 { row[2] = .nan }
      for column in drift.update(row, row: 0) { found[column, default: []].insert(number) }
    }
    #expect(found.keys.sorted() == [1])
    let first = try #require(found[1]?.min())
    #expect((2000..<2100).contains(first))
    let text = drift.json.serialized()
    let resumed = try FeatureDrift(
      DriftSettings(.adwin), columns: 3, json: try JSONNode(parsing: Array(text.utf8)))
    #expect(resumed == drift)
  }

  /// Rises are told from falls by every detector that sees both.
  @Test(arguments: DriftDetectorKind.allCases, [true, false])
  func risesAreToldFromFalls(kind: DriftDetectorKind, rises: Bool) throws {
    if kind == .ddm, !rises { return }
    var detector = try DriftDetector(DriftSettings(kind))
    var random = RandomStream(seed: 4)
    var found: Bool?
    for number in 0..<6000 where found == nil {
      let share: Float = (number < 3000) == rises ? 0.1 : 0.6
      if detector.update(random.uniform() < share ? 1 : 0) == .drift { found = detector.hasRisen }
    }
    #expect(found == rises)
  }

  @Test func theBetterModelIsChosen() throws {
    func verdict(_ gain: Double) throws -> (SwitchRule.Verdict, Int) {
      var rule = try SwitchRule(maximumRows: 3000)
      var random = RandomStream(seed: 11)
      for row in 1... {
        let verdict = rule.add(old: 1 + gain + random.normal() / 2, fresh: 1 + random.normal() / 2)
        if verdict != .undecided { return (verdict, row) }
        if row == 150 {
          var resumed = try SwitchRule(maximumRows: 3000)
          try resumed.resume(json: try JSONNode(parsing: Array(rule.json.serialized().utf8)))
          #expect(resumed == rule)
        }
      }
      return (.undecided, 0)
    }
    #expect(try verdict(0.5) == (.fresh, 200))
    #expect(try verdict(-0.5) == (.old, 200))
    #expect(try verdict(-0.01).0 == .old)
    var rule = try SwitchRule()
    #expect(rule.add(old: .infinity, fresh: 1) == .fresh)
    #expect(rule.add(old: 1, fresh: .nan) == .old)
  }
}
