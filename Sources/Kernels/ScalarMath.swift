import Glibc

/// The few functions of one Double that rooms above need and that the standard library lacks.
public enum ScalarMath {
  /// `base` to the power of `exponent`.
  public static func power(_ base: Double, _ exponent: Double) -> Double { Glibc.pow(base, exponent) }

  /// The cosine of an angle in radians.
  public static func cosine(_ angle: Double) -> Double { Glibc.cos(angle) }

  /// The sine of an angle in radians.
  public static func sine(_ angle: Double) -> Double { Glibc.sin(angle) }

  /// The natural exponential function.
  public static func exponential(_ x: Double) -> Double { Glibc.exp(x) }

  /// The natural logarithm.
  public static func logarithm(_ x: Double) -> Double { Glibc.log(x) }

  /// log(1 + x), also where x is so small that 1 + x is 1.
  public static func logarithmOfOnePlus(_ x: Double) -> Double { Glibc.log1p(x) }

  /// exp(x) - 1, also where x is so small that exp(x) is 1.
  public static func exponentialMinusOne(_ x: Double) -> Double { Glibc.expm1(x) }

  /// The logarithm to the base 10, exact for powers of 10.
  public static func decimalLogarithm(_ x: Double) -> Double { Glibc.log10(x) }
}
