import Foundation
import Testing

@testable import Kernels

/// The errors that `FloatMath` states, measured on every 1999th of all floats.
@Suite struct FloatMathTests {
  /// The largest error in units in the last place of the true value, and where it is.
  private func largestError(
    in range: ClosedRange<Float>, _ function: (Float) -> Float, _ truth: (Double) -> Double
  ) -> (ulps: Double, at: Float) {
    var largest = (ulps: 0.0, at: Float.nan)
    for pattern in stride(from: UInt32(0), through: UInt32.max - 1999, by: 1999) {
      let x = Float(bitPattern: pattern)
      guard range.contains(x) else { continue }
      let expected = truth(Double(x))
      // The unit of the smallest normal number holds for what is below.
      let unit = Double(max(Float(abs(expected)), .leastNormalMagnitude).ulp)
      let error = abs(Double(function(x)) - expected) / unit
      if !(error <= largest.ulps) { largest = (error, x) }
    }
    return largest
  }

  @Test func exponential() {
    let error = largestError(in: -103...88.7, FloatMath.exponential) { Foundation.exp($0) }
    #expect(error.ulps <= 1, "\(error)")
    #expect(FloatMath.exponential(0) == 1)
    #expect(FloatMath.exponential(89) == .infinity && FloatMath.exponential(.infinity) == .infinity)
    #expect(FloatMath.exponential(-200) == 0 && FloatMath.exponential(-.infinity) == 0)
    #expect(FloatMath.exponential(.nan).isNaN)
  }

  @Test func logarithmOfOnePlus() {
    let error = largestError(in: 0...1, FloatMath.logarithmOfOnePlus) { Foundation.log1p($0) }
    #expect(error.ulps <= 2, "\(error)")
  }

  @Test func sigmoid() {
    let error = largestError(in: -103...200, FloatMath.sigmoid) { 1 / (1 + Foundation.exp(-$0)) }
    #expect(error.ulps <= 3, "\(error)")
    #expect(FloatMath.sigmoid(-.infinity) == 0 && FloatMath.sigmoid(.infinity) == 1 && FloatMath.sigmoid(0) == 0.5)
  }

  @Test func tanh() {
    let error = largestError(in: -1000...1000, FloatMath.tanh) { Foundation.tanh($0) }
    #expect(error.ulps <= 2, "\(error)")
    #expect(FloatMath.tanh(-.infinity) == -1 && FloatMath.tanh(.infinity) == 1 && FloatMath.tanh(0) == 0)
  }

  @Test func gelu() {
    let truth = { (x: Double) in x * 0.5 * erfc(-x / 2.0.squareRoot()) }
    let value = largestError(in: -1e6...1e6, { FloatMath.gelu($0).value }, truth)
    #expect(value.ulps <= 8, "\(value)")
    // The derivative crosses 0, so its error is absolute.
    for pattern in stride(from: UInt32(0), through: UInt32.max - 1999, by: 1999) {
      let x = Float(bitPattern: pattern)
      guard x.isFinite else { continue }
      let density = Foundation.exp(-Double(x) * Double(x) / 2) / (2 * Double.pi).squareRoot()
      let slope = 0.5 * erfc(-Double(x) / 2.0.squareRoot()) + (density == 0 ? 0 : Double(x) * density)
      let error = abs(Double(FloatMath.gelu(x).slope) - slope)
      if !(error <= 3e-7) { Issue.record("slope at \(x): \(error)") }
    }
    #expect(FloatMath.gelu(-.infinity).value == 0 && FloatMath.gelu(.infinity).value == .infinity)
    #expect(FloatMath.gelu(-.infinity).slope == 0 && FloatMath.gelu(.infinity).slope == 1)
    #expect(FloatMath.gelu(0).value == 0 && abs(FloatMath.gelu(0).slope - 0.5) < 1e-7)
  }

  /// A loop's vector part and its scalar end give the same bits.
  @Test func aResultDoesNotDependOnThePlaceInALoop() {
    var stream = RandomStream(seed: 2)
    let values = (0..<101).map { _ in 20 * stream.uniform() - 10 }
    for shift in [0, 1, 5, 90, 100] {
      var all = FloatBuffer(values)
      Elementwise.sigmoid(&all, 0..<101)
      var part = FloatBuffer(Array(values[shift...]))
      Elementwise.sigmoid(&part, 0..<101 - shift)
      #expect(part.values() == all.values(in: shift..<101))
    }
  }
}
