internal import JSON

/// The Page-Hinkley test: sums of deviations from the mean so far, faded, that rise above their lowest or fall below their highest value by a
/// threshold.
///
/// Signals are River's (0.26.1), row by row.
///
/// Source: E. S. Page, Continuous Inspection Schemes (Biometrika 1954).
public struct PageHinkley: Equatable, Sendable {
  /// Which changes of the mean are looked for.
  public enum Mode: String, CaseIterable, Sendable { case up, down, both }

  /// Names and defaults are River's.
  public struct Settings: Equatable, Sendable {
    /// How many values come before the first test.
    public var minInstances = 30
    /// A deviation that does not count.
    public var delta = 0.005
    /// The sum of deviations that is a drift.
    public var threshold = 50.0
    /// How much of the sum is kept from one value to the next.
    public var alpha = 1 - 0.0001
    public var mode = Mode.both

    public init() {}
  }

  let settings: Settings
  private var mean = RunningMean()
  /// The sums to look for a rise and for a fall with.
  private var rise = 0.0
  private var fall = 0.0
  private var lowestRise = Double.infinity
  private var highestFall = -1.0
  private var hasDrifted = false

  init(_ settings: Settings) throws(OnlineError) {
    guard settings.minInstances >= 1, settings.delta >= 0, settings.threshold > 0 else {
      throw OnlineError(
        """
        page_hinkley: min_instances \(settings.minInstances) and threshold \(settings.threshold) have to be positive, delta \
        \(settings.delta) not negative
        """)
    }
    guard settings.alpha > 0, settings.alpha <= 1 else {
      throw OnlineError("page_hinkley: alpha is \(settings.alpha), not above 0 and at most 1")
    }
    self.settings = settings
  }

  /// Takes note of a value.
  mutating func update(_ value: Double) -> DriftSignal {
    if hasDrifted {
      mean = RunningMean()
      (rise, fall, lowestRise, highestFall, hasDrifted) = (0, 0, .infinity, -1, false)
    }
    mean.add(value)
    let deviation = value - mean.mean
    rise = settings.alpha * rise + deviation - settings.delta
    fall = settings.alpha * fall + deviation + settings.delta
    lowestRise = min(lowestRise, rise)
    highestFall = max(highestFall, fall)
    guard mean.count >= Double(settings.minInstances) else { return .none }
    let hasRisen = settings.mode != .down && isHigh
    let hasFallen = settings.mode != .up && highestFall - fall > settings.threshold
    hasDrifted = hasRisen || hasFallen
    return hasDrifted ? .drift : .none
  }

  private var isHigh: Bool { rise - lowestRise > settings.threshold }

  /// Whether the values of a sequence that has drifted have become higher.
  var hasRisen: Bool { hasDrifted && isHigh }
}

extension PageHinkley {
  var json: JSONValue {
    .object([
      ("mean", mean.json), ("sums", .bits([rise, fall, lowestRise, highestFall])),
      ("has_drifted", .boolean(hasDrifted)),
    ])
  }

  init(_ settings: Settings, _ state: StateReader) throws(OnlineError) {
    try self.init(settings)
    mean = try RunningMean(state.member("mean"))
    let sums = try state.doubles("sums", count: 4)
    (rise, fall, lowestRise, highestFall) = (sums[0], sums[1], sums[2], sums[3])
    hasDrifted = try state.flag("has_drifted")
  }
}
