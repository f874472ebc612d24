/// A number that is wanted of each group of rows: a function of the values of one column.
///
/// Missing values do not count; where a group has no others, the sum is 0 and the rest is missing.
public struct Aggregate: Equatable, Sendable {
  public enum Function: String, CaseIterable, Equatable, Sendable {
    case mean, sum
    case minimum = "min"
    case maximum = "max"

    /// Whether it takes a sum of all values.
    var needsSum: Bool { self == .mean || self == .sum }
  }

  public var function: Function
  public var column: String

  public init(_ function: Function, of column: String) {
    self.function = function
    self.column = column
  }

  /// The name of its column in the result: `mean_price`.
  public var name: String { "\(function.rawValue)_\(column)" }
}
