/// Transcendental functions of a Float, written without branches, tables or calls so that a loop over them becomes
/// vector code.
///
/// Every operation is an exact IEEE one (`addingProduct` is a fused multiply-add), so an element's result does not
/// depend on whether a vector or the scalar end of a loop computed it. A NaN gives a NaN. The polynomials are minimax
/// fits; the errors stated are measured by the tests over the whole range of Float.
enum FloatMath {
  /// eˣ, within 1 ulp of the true value (0 and infinity where Float has no nearer value).
  @inline(__always)
  static func exponential(_ x: Float) -> Float {
    // Beyond these bounds the result is 0 or infinity anyhow. Written so that a NaN passes.
    let bounded: Float = x > 89 ? 89 : (x < -104 ? -104 : x)
    // x = n ln 2 + r: adding 1.5 · 2²³ rounds to an integer, which then stands in the low bits.
    let shifted = Float(0x1.8p23).addingProduct(bounded, 1.442695)
    let n = shifted - 0x1.8p23
    let r = bounded.addingProduct(n, -0.693359375).addingProduct(n, 2.1219444e-4)
    // eʳ = 1 + r + r² P(r)
    var p: Float = 0.001381446490995586
    p = Float(0.008368780836462975).addingProduct(p, r)
    p = Float(0.04166839271783829).addingProduct(p, r)
    p = Float(0.1666651964187622).addingProduct(p, r)
    p = Float(0.4999999403953552).addingProduct(p, r)
    let mantissa = Float(1).addingProduct(Float(r).addingProduct(p, r * r), 1)
    // Two factors, because 2ⁿ itself may be out of range where the product is not.
    let exponent = Int32(bitPattern: shifted.bitPattern) &- 0x4B40_0000
    let half = exponent &>> 1
    return mantissa * power2(half) * power2(exponent &- half)
  }

  @inline(__always)
  private static func power2(_ n: Int32) -> Float {
    Float(bitPattern: UInt32(bitPattern: (n &+ 127) &<< 23))
  }

  /// ln(1 + u) for u in [0, 1], within 2 ulp.
  @inline(__always)
  static func logarithmOfOnePlus(_ u: Float) -> Float {
    // ln(1 + u) = 2 artanh(s) = 2 s + s³ P(s²)
    let s = u / (2 + u)
    let z = s * s
    var p: Float = 0.24300938844680786
    p = Float(0.21427656710147858).addingProduct(p, z)
    p = Float(0.2861688435077667).addingProduct(p, z)
    p = Float(0.3999887704849243).addingProduct(p, z)
    p = Float(0.6666667461395264).addingProduct(p, z)
    return (2 * s).addingProduct(p, z * s)
  }

  /// 1 / (1 + e⁻ˣ), within 3 ulp.
  @inline(__always)
  static func sigmoid(_ x: Float) -> Float {
    let e = exponential(-abs(x))
    return (x < 0 ? e : 1) / (1 + e)
  }

  /// The hyperbolic tangent, within 2 ulp.
  @inline(__always)
  static func tanh(_ x: Float) -> Float {
    let magnitude = abs(x)
    // Near 0: x + x³ P(x²), where the other form would cancel.
    let z = x * x
    var p: Float = -0.005717036779969931
    p = Float(0.020650578662753105).addingProduct(p, z)
    p = Float(-0.05374349653720856).addingProduct(p, z)
    p = Float(0.13331490755081177).addingProduct(p, z)
    p = Float(-0.3333328366279602).addingProduct(p, z)
    let near = x.addingProduct(p, z * x)
    let far = 1 - 2 / (exponential(2 * magnitude) + 1)
    return magnitude < 0.625 ? near : (x < 0 ? -far : far)
  }

  /// x Φ(x) with the normal distribution function Φ, within 8 ulp, and its derivative Φ(x) + x φ(x).
  ///
  /// The lower tail is computed as such, so that there is no cancellation for negative x.
  @inline(__always)
  static func gelu(_ x: Float) -> (value: Float, slope: Float) {
    // Beyond 14.5 the tail is 0 in Float; bounded, so that nothing below overflows.
    let t: Float = abs(x) > 14.5 ? 14.5 : abs(x)
    // e^(-t²/2), with the rounding of t² carried along.
    let square = t * t
    let remainder = (-square).addingProduct(t, t)
    let e = exponential(-0.5 * square)
    let density = e.addingProduct(e * -0.5, remainder)
    // Φ(-t) = e^(-t²/2) P(s), s = 1 / (1 + 0.3 t)
    let s = 1 / Float(1).addingProduct(0.3, t)
    var p: Float = 0.03837840259075165
    p = Float(-0.16916663944721222).addingProduct(p, s)
    p = Float(0.22866109013557434).addingProduct(p, s)
    p = Float(-0.0765075534582138).addingProduct(p, s)
    p = Float(0.1425362080335617).addingProduct(p, s)
    p = Float(0.09468325972557068).addingProduct(p, s)
    p = Float(0.1219203993678093).addingProduct(p, s)
    p = Float(0.11948768049478531).addingProduct(p, s)
    p = Float(7.169252057792619e-06).addingProduct(p, s)
    let tail = density * p
    let distribution = x < 0 ? tail : 1 - tail
    // φ(x) = e^(-x²/2) / √(2π). An infinite x has the limits for its values.
    let bounded: Float = x < -14.5 ? -14.5 : (x > 14.5 ? 14.5 : x)
    let value = x < -14.5 ? 0 : x * distribution
    return (value, distribution.addingProduct(bounded * density, 0.3989422804014327))
  }
}
