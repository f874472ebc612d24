internal import JSON

/// The drift detection method: a share of errors that rises above its lowest value by multiples of its deviation.
///
/// Signals are River's (0.26.1), row by row.
///
/// Source: J. Gama, P. Medas, G. Castillo, P. Rodrigues, Learning with Drift Detection (SBIA 2004).
public struct DDM: Equatable, Sendable {
  /// Names and defaults are River's.
  public struct Settings: Equatable, Sendable {
    /// How many errors come before the first test.
    public var warmStart = 30
    /// Deviations above the lowest share that are a warning.
    public var warningThreshold = 2.0
    /// Deviations above the lowest share that are a drift.
    public var driftThreshold = 3.0

    public init() {}
  }

  let settings: Settings
  private var mean = RunningMean()
  private var lowestShare = Double.infinity
  private var lowestDeviation = Double.infinity
  private var hasDrifted = false

  init(_ settings: Settings) throws(OnlineError) {
    guard settings.warmStart >= 1, settings.warningThreshold > 0, settings.driftThreshold >= settings.warningThreshold
    else {
      throw OnlineError(
        """
        ddm: warm_start \(settings.warmStart), warning_threshold \(settings.warningThreshold) and drift_threshold \
        \(settings.driftThreshold) have to be positive, the last at least the one before
        """)
    }
    self.settings = settings
  }

  /// Takes note of an error (1) or none (0).
  mutating func update(_ error: Double) -> DriftSignal {
    if hasDrifted {
      mean = RunningMean()
      (lowestShare, lowestDeviation, hasDrifted) = (.infinity, .infinity, false)
    }
    mean.add(error)
    guard mean.count > Double(settings.warmStart) else { return .none }
    let share = mean.mean
    let deviation = (max(0, share * (1 - share)) / mean.count).squareRoot()
    if share + deviation <= lowestShare + lowestDeviation { (lowestShare, lowestDeviation) = (share, deviation) }
    hasDrifted = share + deviation > lowestShare + settings.driftThreshold * lowestDeviation
    if hasDrifted { return .drift }
    return share + deviation > lowestShare + settings.warningThreshold * lowestDeviation ? .warning : .none
  }
}

extension DDM {
  var json: JSONValue {
    .object([
      ("mean", mean.json), ("lowest_share", .bits(lowestShare)), ("lowest_deviation", .bits(lowestDeviation)),
      ("has_drifted", .boolean(hasDrifted)),
    ])
  }

  init(_ settings: Settings, _ state: StateReader) throws(OnlineError) {
    try self.init(settings)
    mean = try RunningMean(state.member("mean"))
    lowestShare = try state.double("lowest_share")
    lowestDeviation = try state.double("lowest_deviation")
    hasDrifted = try state.flag("has_drifted")
  }
}
