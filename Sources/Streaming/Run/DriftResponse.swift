import JSON
import Online
import Settings
import Training

/// What a stream does about drift: notices it in the errors of all ranks, and in the features, and answers as the job says.
///
/// Every rank holds an equal copy, fed with the same values, so that all answer alike without asking each other.
struct DriftResponse {
  struct Settings: Sendable {
    let detector: DriftSettings
    let watchesFeatures: Bool
    let onWarning: DriftAction
    let onDrift: DriftAction
    let rateFactor: Double
    let rateRows: Int
    let switchRows: Int

    /// The settings of a job; nil where it wants no detector.
    init?(_ values: JobValues) {
      guard let kind: DriftDetectorKind = values.choice("drift.detector") else { return nil }
      detector = Self.detector(kind, values)
      watchesFeatures = values.boolean("drift.features")
      onWarning = values.choice("drift.on_warning") ?? .report
      onDrift = values.choice("drift.on_drift") ?? .report
      rateFactor = values.number("drift.rate_factor") ?? 1
      rateRows = values.integer("drift.rate_rows") ?? 1
      switchRows = values.integer("drift.switch_rows") ?? 1
    }

    static func detector(_ kind: DriftDetectorKind, _ values: JobValues) -> DriftSettings {
      switch DriftSettings(kind) {
      case .adwin(var settings):
        values.number("drift.delta").map { settings.delta = $0 }
        return .adwin(settings)
      case .ddm(var settings):
        values.number("drift.threshold").map { settings.driftThreshold = $0 }
        values.integer("drift.warm_up").map { settings.warmStart = $0 }
        return .ddm(settings)
      case .pageHinkley(var settings):
        values.number("drift.delta").map { settings.delta = $0 }
        values.number("drift.threshold").map { settings.threshold = $0 }
        values.integer("drift.warm_up").map { settings.minInstances = $0 }
        return .pageHinkley(settings)
      }
    }
  }

  /// A signal, and where it came.
  struct Event: Equatable {
    let signal: DriftSignal
    /// The number of the row, of all ranks, with which it came.
    let row: Int
    /// The features that drifted; empty for drift of the errors.
    let columns: [Int]
  }

  let settings: Settings
  private var detector: DriftDetector
  private var isWarned = false
  /// Rows after which the raised rate is back; 0 where it is not raised.
  private(set) var raisedUntil = 0
  private(set) var rule: SwitchRule?
  /// The row of the last drift, and how many there were.
  private(set) var lastDrift: Int?
  private(set) var drifts = 0

  init(_ settings: Settings) throws(OnlineError) {
    self.settings = settings
    detector = try DriftDetector(settings.detector)
  }

  /// Takes the errors of rows from number `row` on, and says which signals they gave.
  mutating func observe(_ errors: [Double], from row: Int) -> [Event] {
    var events: [Event] = []
    for (index, error) in errors.enumerated() {
      var signal = detector.update(error)
      // Errors that become fewer are a model that learns, and no drift.
      if signal == .drift, !detector.hasRisen { signal = .none }
      // A detector warns with every row until it is over.
      if signal == .drift || signal == .warning && !isWarned {
        events.append(Event(signal: signal, row: row + index, columns: []))
      }
      isWarned = signal == .warning
      if signal == .drift {
        lastDrift = row + index
        drifts += 1
      }
    }
    return events
  }

  /// Takes note of features that drifted before `row`.
  mutating func observe(columns: [Int], at row: Int) -> [Event] {
    guard !columns.isEmpty else { return [] }
    (lastDrift, drifts) = (row, drifts + 1)
    return [Event(signal: .drift, row: row, columns: columns)]
  }

  func action(_ event: Event) -> DriftAction { event.signal == .drift ? settings.onDrift : settings.onWarning }

  /// The rate is raised from now on; returns the factor.
  mutating func raise(at row: Int) -> Double {
    raisedUntil = row + settings.rateRows
    return settings.rateFactor
  }

  /// Whether the raised rate is to go back now.
  mutating func lowers(at row: Int) -> Bool {
    guard raisedUntil > 0, row >= raisedUntil else { return false }
    raisedUntil = 0
    return true
  }

  /// A fresh model begins to learn beside the old one.
  mutating func beginSwitch() throws(OnlineError) {
    let least = min(200, settings.switchRows)
    rule = try SwitchRule(minimumRows: max(2, least), maximumRows: max(2, settings.switchRows))
  }

  /// Compares the models on rows; a verdict ends the comparison.
  mutating func compare(old: [Double], fresh: [Double]) -> SwitchRule.Verdict {
    for (old, fresh) in zip(old, fresh) {
      let verdict = rule?.add(old: old, fresh: fresh) ?? .undecided
      guard verdict == .undecided else {
        rule = nil
        return verdict
      }
    }
    return .undecided
  }

  var json: JSONValue {
    .object([
      ("detector", detector.json), ("is_warned", .boolean(isWarned)), ("raised_until", .integer(raisedUntil)),
      ("rule", rule?.json ?? .null), ("last_drift", lastDrift.map { .integer($0) } ?? .null),
      ("drifts", .integer(drifts)),
    ])
  }

  /// Goes on where the response that gave `json` was.
  init(_ settings: Settings, json: JSONNode) throws(OnlineError) {
    self.settings = settings
    detector = try DriftDetector(settings.detector, json: json["detector"] ?? JSONNode(.null))
    isWarned = json["is_warned"]?.asBool ?? false
    raisedUntil = json["raised_until"]?.asInt ?? 0
    lastDrift = json["last_drift"]?.asInt
    drifts = json["drifts"]?.asInt ?? 0
    if let state = json["rule"], !state.isNull {
      try beginSwitch()
      try rule?.resume(json: state)
    }
  }
}

extension JobValues {
  /// Finds settings of drift that do not fit the detector.
  mutating func checkDrift() {
    guard let kind: DriftDetectorKind = choice("drift.detector") else {
      for key in StreamKeys.all.map(\.path) where key.hasPrefix("drift.") && key != "drift.detector" && isGiven(key) {
        reject(key, "needs 'drift.detector'")
      }
      return
    }
    let used: [String: [DriftDetectorKind]] = [
      "drift.delta": [.adwin, .pageHinkley], "drift.threshold": [.ddm, .pageHinkley],
      "drift.warm_up": [.ddm, .pageHinkley],
    ]
    for (key, kinds) in used.sorted(by: { $0.key < $1.key }) where self[key] != .null && !kinds.contains(kind) {
      reject(key, "is no setting of \"\(kind.rawValue)\"")
    }
    if kind == .ddm, boolean("drift.features") {
      reject("drift.features", "does not go with \"ddm\", which takes errors")
    }
    if kind == .ddm, classNames == nil {
      reject("drift.detector", "\"ddm\" takes errors of a classifier; use another one")
    }
    do {
      _ = try DriftDetector(DriftResponse.Settings.detector(kind, self))
    } catch {
      reject("drift.detector", "has settings that make no sense: \(error)")
    }
  }
}
