import Glibc

/// The few functions of one Double that rooms above need and that the standard library lacks.
public enum ScalarMath {
  /// `base` to the power of `exponent`.
  public static func power(_ base: Double, _ exponent: Double) -> Double { Glibc.pow(base, exponent) }

  /// The cosine of an angle in radians.
  public static func cosine(_ angle: Double) -> Double { Glibc.cos(angle) }

  /// The natural exponential function.
  public static func exponential(_ x: Double) -> Double { Glibc.exp(x) }

  /// The natural logarithm.
  public static func logarithm(_ x: Double) -> Double { Glibc.log(x) }
}
