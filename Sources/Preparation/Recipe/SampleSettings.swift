/// Which rows of a table a sample takes, in place of all of them.
public struct SampleSettings: Equatable, Sendable {
  public enum Size: Equatable, Sendable {
    /// So many rows; all where there are fewer.
    case rows(Int)
    /// So large a part of the rows, in (0, 1].
    case fraction(Double)
  }

  /// How many rows each value of a column gets.
  public enum Allocation: String, CaseIterable, Sendable {
    /// Its share of the rows.
    case proportional
    /// As many as every other, where it has them.
    case equal
  }

  public var size: Size
  /// The column whose values are the strata; nil for one stratum.
  public var by: String?
  public var allocation = Allocation.proportional
  /// The column of numbers by which chances go; nil gives each row the same.
  public var weight: String?
  /// What the sample is drawn from; nil for the seed of the split.
  public var seed: Int?

  public init(_ size: Size, by: String? = nil, weight: String? = nil) {
    self.size = size
    self.by = by
    self.weight = weight
  }

  /// How many rows of each stratum are taken.
  /// - Parameter available: the rows of each stratum.
  func quotas(_ available: [Int]) -> [Int] {
    let total = available.reduce(0, +)
    let wanted =
      switch size {
      case .rows(let rows): min(rows, total)
      case .fraction(let fraction): min(total, Int((Double(total) * fraction).rounded()))
      }
    return allocation == .equal ? Self.equal(wanted, available) : Self.proportional(wanted, available)
  }

  /// By largest remainder: no stratum is further than one row from its share.
  private static func proportional(_ wanted: Int, _ available: [Int]) -> [Int] {
    let total = available.reduce(0, +)
    guard total > 0 else { return available }
    let shares = available.map { total.dividingFullWidth($0.multipliedFullWidth(by: wanted)) }
    var quotas = shares.map(\.quotient)
    let order = shares.indices.sorted { (shares[$1].remainder, $0) < (shares[$0].remainder, $1) }
    for stratum in order.prefix(wanted - quotas.reduce(0, +)) { quotas[stratum] += 1 }
    return quotas
  }

  /// Fills all strata alike; what small ones lack goes to the others.
  private static func equal(_ wanted: Int, _ available: [Int]) -> [Int] {
    var quotas = [Int](repeating: 0, count: available.count)
    var left = wanted
    // From the smallest: each takes its part of what is left, if it has as many.
    let order = available.indices.sorted { (available[$0], $0) < (available[$1], $1) }
    for (place, stratum) in order.enumerated() {
      quotas[stratum] = min(available[stratum], left / (order.count - place))
      left -= quotas[stratum]
    }
    return quotas
  }
}
