internal import Kernels

/// A change of the relation between features and target in the course of the rows.
///
/// Source: A. Bifet and R. Kirkby, Data Stream Mining: A Practical Approach (2009), section 2.7.1.
public struct Drift: Equatable, Sendable {
  public enum Kind: String, CaseIterable, Equatable, Sendable {
    /// All rows from one on follow the second relation.
    case abrupt
    /// The probability of the second relation rises along a sigmoid curve.
    case gradual
  }

  public var kind: Kind
  /// The row of the change, or of its middle; counted over all splits.
  public var row: Int
  /// How many rows a gradual change takes: their first and last have the second relation with about 0.12 and 0.88.
  public var width: Int

  public init(_ kind: Kind, row: Int, width: Int) {
    self.kind = kind
    self.row = row
    self.width = width
  }

  func check(rows: Int) throws(PreparationError) {
    guard row >= 0, row < rows else {
      throw PreparationError(.usage, "--drift-row \(row): a row from 0 to \(rows - 1)")
    }
    guard width >= 1, width <= rows else {
      throw PreparationError(.usage, "--drift-width \(width): from 1 to \(rows) rows")
    }
  }

  /// Whether `number` follows the second relation.
  /// - Parameter uniform: a random number in [0, 1) of that row.
  func isOver(row number: Int, uniform: Float) -> Bool {
    switch kind {
    case .abrupt: number >= row
    case .gradual:
      Double(uniform) < 1 / (1 + ScalarMath.exponential(-4 * (Double(number) - Double(row)) / Double(width)))
    }
  }
}
