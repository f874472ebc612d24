public import JSON

/// Decides between a model and a fresh one that learns beside it, by their losses on the same rows, each predicted before it was learned.
///
/// The mean of the differences is compared with its standard error.
public struct SwitchRule: Equatable, Sendable {
  public enum Verdict: String, Sendable {
    /// More rows are needed.
    case undecided
    /// The fresh model is better.
    case fresh
    /// The old one is better, or the fresh one did not become better in time.
    case old
  }

  public let minimumRows: Int
  public let maximumRows: Int
  /// How many standard errors of the mean difference are enough.
  public let confidence: Double
  private var rows = 0
  private var mean = 0.0
  /// Sum of squared deviations of the differences from their mean.
  private var squares = 0.0

  /// - Throws: `OnlineError` for numbers that make no sense.
  public init(minimumRows: Int = 200, maximumRows: Int = 10_000, confidence: Double = 2) throws(OnlineError) {
    guard minimumRows > 1, maximumRows >= minimumRows, confidence >= 0 else {
      throw OnlineError("a switch after \(minimumRows) to \(maximumRows) rows, \(confidence) standard errors apart")
    }
    self.minimumRows = minimumRows
    self.maximumRows = maximumRows
    self.confidence = confidence
  }

  /// Takes the losses of a row. After a verdict a new rule is to be made.
  public mutating func add(old: Double, fresh: Double) -> Verdict {
    let difference = old - fresh
    guard difference.isFinite else { return fresh.isFinite ? .fresh : .old }
    rows += 1
    let deviation = difference - mean
    mean += deviation / Double(rows)
    squares += deviation * (difference - mean)
    guard rows >= minimumRows else { return .undecided }
    let error = (squares / Double(rows - 1) / Double(rows)).squareRoot()
    if mean > 0, mean > confidence * error { return .fresh }
    if mean < 0, -mean > 2 * confidence * error { return .old }
    return rows >= maximumRows ? .old : .undecided
  }

  public var json: JSONValue { .object([("rows", .integer(rows)), ("differences", .bits([mean, squares]))]) }

  /// Takes up the differences that another rule with the same numbers had.
  public mutating func resume(json: JSONNode) throws(OnlineError) {
    let state = StateReader("a switch between models", json)
    rows = try state.count("rows")
    let numbers = try state.doubles("differences", count: 2)
    (mean, squares) = (numbers[0], numbers[1])
  }
}
