/// How long rows waited from their arrival until the model had learned them: counts of rows by time, in steps of five percent.
struct LatencyHistogram: Equatable {
  /// The shortest time that is told from shorter ones, in seconds.
  private static let least = 1e-6
  private static let step = 1.05
  private static let logStep = 0.048790164169432  // ln 1.05
  private static let bins = 480

  private(set) var counts = [Double](repeating: 0, count: bins)

  init() {}

  /// What `counts` of another one said.
  init(_ counts: [Double]) {
    precondition(counts.count == Self.bins, "a histogram of \(counts.count) bins")
    self.counts = counts
  }

  /// Adds a row that waited for `seconds`.
  mutating func add(seconds: Double, rows: Int = 1) {
    counts[Self.bin(seconds)] += Double(rows)
  }

  private static func bin(_ seconds: Double) -> Int {
    guard seconds > least else { return 0 }
    guard seconds.isFinite else { return bins - 1 }
    // By the exponent first: a logarithm for every row would cost more than its update.
    let ratio = seconds / least
    let octave = Double(ratio.exponent)
    let fraction = ratio.significand - 1
    // log2 of the significand, to a hundredth.
    let logarithm = octave + fraction * (1.3465 - 0.3465 * fraction)
    return min(bins - 1, Int(logarithm * 0.6931471805599453 / logStep))
  }

  mutating func add(_ other: LatencyHistogram) {
    for bin in counts.indices { counts[bin] += other.counts[bin] }
  }

  mutating func removeAll() { counts = [Double](repeating: 0, count: Self.bins) }

  /// The seconds that a share of the rows did not exceed; nil without rows. Exact to five percent.
  func quantile(_ share: Double) -> Double? {
    let total = counts.reduce(0, +)
    guard total > 0 else { return nil }
    var sum = 0.0
    var time = Self.least
    for count in counts {
      sum += count
      time *= Self.step
      if sum >= share * total { break }
    }
    return time
  }
}
