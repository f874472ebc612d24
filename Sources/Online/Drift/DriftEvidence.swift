/// What a rank has to say to a detector that all ranks share.
///
/// The ranks exchange the values that they took since the last time, and each feeds all of them to its own copy of the detector, the
/// first ones of all ranks, in the order of the ranks, then the second ones: all copies stay equal. Where rows are dealt to ranks
/// in turn this is the sequence that one rank would see, and so are the signals.
public struct DriftEvidence: Equatable, Sendable {
  /// How many of a rank's rows make one value: their mean. More than one is less to exchange, and a drift is known to so many
  /// rows; a detector of yes-or-no errors (`ddm`) wants one.
  public let rowsPerValue: Int
  private var values: [Double] = []
  private var sum = 0.0
  private var count = 0

  public init(rowsPerValue: Int = 1, for settings: DriftSettings) throws(OnlineError) {
    guard rowsPerValue > 0 else { throw OnlineError("a value of the drift detector made of \(rowsPerValue) rows") }
    guard rowsPerValue == 1 || settings.kind != .ddm else {
      throw OnlineError("ddm takes errors of single rows, not means of \(rowsPerValue)")
    }
    self.rowsPerValue = rowsPerValue
  }

  /// Takes the value of a row; what is not finite is passed over.
  public mutating func add(_ value: Double) {
    guard value.isFinite else { return }
    sum += value
    count += 1
    if count == rowsPerValue {
      values.append(sum / Double(count))
      (sum, count) = (0, 0)
    }
  }

  /// Hands out the values since the last time. Rows that do not make a whole one are kept.
  public mutating func take() -> [Double] {
    let taken = values
    values.removeAll(keepingCapacity: true)
    return taken
  }

  /// The values of the ranks, those of each in its own order, in the order in which every rank feeds them to its detector.
  public static func merged(_ ranks: [[Double]]) -> [Double] {
    var merged: [Double] = []
    merged.reserveCapacity(ranks.reduce(0) { $0 + $1.count })
    for place in 0..<(ranks.map(\.count).max() ?? 0) {
      for values in ranks where place < values.count { merged.append(values[place]) }
    }
    return merged
  }
}
