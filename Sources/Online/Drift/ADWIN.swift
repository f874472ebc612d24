internal import JSON
internal import Kernels

/// Adaptive windowing: a window of values that grows until two parts of it have means that differ by more than chance allows.
///
/// The window is kept as sums of 1, 2, 4, ... values, so that it takes memory with the logarithm of its length. After a drift the next value
/// begins a new window, as in River, whose signals (0.26.1) it gives row by row: every operation is done in the same order.
///
/// Source: A. Bifet, R. Gavaldà, Learning from Time-Changing Data with Adaptive Windowing (SDM 2007).
public struct ADWIN: Equatable, Sendable {
  /// Names and defaults are River's.
  public struct Settings: Equatable, Sendable {
    /// The share of false alarms that is borne.
    public var delta = 0.002
    /// How many values lie between two tests.
    public var clock = 32
    /// How many sums of one length there are before two become one of the next.
    public var maxBuckets = 5
    /// The least number of values in either part.
    public var minWindowLength = 5
    /// How many values come before the first test.
    public var gracePeriod = 10

    public init() {}
  }

  /// Sums of the same number of values, from the oldest on.
  private struct Level: Equatable, Sendable {
    var totals: [Double] = []
  }

  let settings: Settings
  /// Level i holds sums of 2ⁱ values.
  private var levels = [Level()]
  private var total = 0.0
  /// Sum of squared deviations from the mean.
  private var squares = 0.0
  /// How many values the window holds.
  public private(set) var width = 0
  private var hasDrifted = false

  init(_ settings: Settings) throws(OnlineError) {
    guard settings.delta > 0, settings.delta < 1 else {
      throw OnlineError("adwin: delta is \(settings.delta), not between 0 and 1")
    }
    guard settings.clock > 0, settings.maxBuckets > 0, settings.minWindowLength > 0, settings.gracePeriod >= 0 else {
      throw OnlineError(
        """
        adwin: clock \(settings.clock), max_buckets \(settings.maxBuckets), min_window_length \(settings.minWindowLength) and \
        grace_period \(settings.gracePeriod) have to be positive
        """)
    }
    self.settings = settings
  }

  /// The mean of the values in the window; 0 without any.
  public var mean: Double { width > 0 ? total / Double(width) : 0 }

  /// Takes note of a value.
  mutating func update(_ value: Double) -> DriftSignal {
    if hasDrifted { start() }
    insert(value)
    hasDrifted = width.isMultiple(of: settings.clock) && width > settings.gracePeriod && change != nil
    return hasDrifted ? .drift : .none
  }

  private mutating func start() {
    levels = [Level()]
    (total, squares, width, hasDrifted) = (0, 0, 0, false)
  }

  private mutating func insert(_ value: Double) {
    levels[0].totals.append(value)
    width += 1
    let count = Double(width)
    if width > 1 {
      let deviation = value - total / (count - 1)
      squares += (count - 1) * deviation * deviation / count
    }
    total += value
    var level = 0
    while levels[level].totals.count > settings.maxBuckets {
      if level + 1 == levels.count { levels.append(Level()) }
      levels[level + 1].totals.append(levels[level].totals[0] + levels[level].totals[1])
      levels[level].totals.removeFirst(2)
      level += 1
    }
  }

  /// Whether the newer values of a window that has drifted are the higher ones.
  var hasRisen: Bool { change.map { $0 > 0 } ?? false }

  /// By how much the mean rises at the first cut that parts values with different means; nil where none does.
  private var change: Double? {
    let count = Double(width)
    let least = Double(settings.minWindowLength)
    let confidence = ScalarMath.logarithm(2 * ScalarMath.logarithm(count) / settings.delta)
    let variance = squares / count
    var (oldCount, newCount) = (0.0, count)
    var (oldTotal, newTotal) = (0.0, total)
    for level in levels.indices.reversed() {
      let values = Double(1 << level)
      for sum in levels[level].totals {
        oldCount += values
        newCount -= values
        oldTotal += sum
        newTotal -= sum
        guard oldCount >= least, newCount >= least else { continue }
        let share = 1 / (oldCount - least + 1) + 1 / (newCount - least + 1)
        let bound = (2 * share * variance * confidence).squareRoot() + 2.0 / 3.0 * confidence * share
        let change = newTotal / newCount - oldTotal / oldCount
        if abs(change) > bound { return change }
      }
    }
    return nil
  }
}

extension ADWIN {
  var json: JSONValue {
    .object([
      ("levels", .array(levels.map { .bits($0.totals) })), ("total", .bits(total)), ("squares", .bits(squares)),
      ("width", .integer(width)), ("has_drifted", .boolean(hasDrifted)),
    ])
  }

  init(_ settings: Settings, _ state: StateReader) throws(OnlineError) {
    try self.init(settings)
    levels = []
    var count = 0
    for (index, element) in try state.elements("levels").enumerated() {
      guard index < 48, let totals = element.node.asString.flatMap(BitText.doubles), totals.count <= settings.maxBuckets
      else { throw state.error("level \(index) of the window is no list of at most \(settings.maxBuckets) numbers") }
      levels.append(Level(totals: totals))
      count += totals.count << index
    }
    total = try state.double("total")
    squares = try state.double("squares")
    width = try state.count("width")
    hasDrifted = try state.flag("has_drifted")
    guard !levels.isEmpty, count == width else { throw state.error("a window of \(width) values holds \(count)") }
  }
}
