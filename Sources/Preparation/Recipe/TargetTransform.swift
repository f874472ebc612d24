internal import Kernels

/// What a regression learns in place of its target.
public enum TargetTransform: String, CaseIterable, Sendable {
  case none
  /// The natural logarithm, of targets above 0.
  case log
  /// log(1 + y), of targets above -1.
  case log1p

  /// What is learned for the target `y`; not finite where the transform is not defined.
  public func applied(to y: Double) -> Double {
    switch self {
    case .none: y
    case .log: y > 0 ? ScalarMath.logarithm(y) : .nan
    case .log1p: y > -1 ? ScalarMath.logarithmOfOnePlus(y) : .nan
    }
  }

  /// The target that `value` was learned for.
  public func inverted(_ value: Double) -> Double {
    switch self {
    case .none: value
    case .log: ScalarMath.exponential(value)
    case .log1p: ScalarMath.exponentialMinusOne(value)
    }
  }

  /// The targets that it is defined for, in words.
  var domain: String {
    switch self {
    case .none: "finite"
    case .log: "above 0"
    case .log1p: "above -1"
    }
  }
}
