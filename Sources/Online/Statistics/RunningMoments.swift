internal import JSON
internal import Kernels

/// Running mean and variance of each column, over the values that are there.
///
/// One row at a time the numbers are those of River's `StandardScaler`, bit for bit.
///
/// Source: D. H. D. West (1979) for a row, T. Chan, G. Golub, R. LeVeque (1983) for two sets of rows.
public struct RunningMoments: Equatable, Sendable {
  /// How many values of each column were counted.
  public internal(set) var counts: [Double]
  public internal(set) var means: [Double]
  /// Divided by the count, not by one less.
  public internal(set) var variances: [Double]

  public var columns: Int { counts.count }

  public init(columns: Int) {
    counts = [Double](repeating: 0, count: columns)
    means = counts
    variances = counts
  }

  /// Adds the values that others counted, which come after these.
  public mutating func merge(_ other: RunningMoments) {
    precondition(columns == other.columns, "moments of \(other.columns) columns into those of \(columns)")
    for column in counts.indices where other.counts[column] > 0 {
      let total = counts[column] + other.counts[column]
      let share = other.counts[column] / total
      let delta = other.means[column] - means[column]
      means[column] += delta * share
      variances[column] += share * (other.variances[column] - variances[column]) + delta * delta * share * (1 - share)
      counts[column] = total
    }
  }

  /// Becomes equal to `other`, which has as many columns, in its own memory.
  mutating func copy(_ other: RunningMoments) {
    for column in counts.indices {
      counts[column] = other.counts[column]
      means[column] = other.means[column]
      variances[column] = other.variances[column]
    }
  }

  /// Makes room for columns that came later.
  mutating func addColumns(to count: Int) {
    let added = [Double](repeating: 0, count: max(count - columns, 0))
    counts += added
    means += added
    variances += added
  }

  /// The moments as numbers that ranks can exchange: three a column.
  public var encoded: [Double] { counts + means + variances }

  public init(encoded: [Double]) throws(OnlineError) {
    guard encoded.count.isMultiple(of: 3) else { throw OnlineError("moments made of \(encoded.count) numbers") }
    let columns = encoded.count / 3
    counts = Array(encoded[..<columns])
    means = Array(encoded[columns..<2 * columns])
    variances = Array(encoded[(2 * columns)...])
    guard counts.allSatisfy({ $0 >= 0 && $0.isFinite }) else { throw OnlineError("moments with counts below 0") }
  }
}

extension RunningMoments {
  var json: JSONValue { .bits(encoded) }

  init(columns: Int, _ state: StateReader, _ key: String) throws(OnlineError) {
    try self.init(encoded: state.doubles(key, count: 3 * columns))
  }
}
