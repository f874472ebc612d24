import Foundation
import Testing
import Text

@Suite struct NumberTests {
  /// Doubles of every size, and those where rounding goes wrong first.
  static let corners: [Double] = [
    0, -0.0, 0.5, 1.5, 2.5, -0.5, 0.05, 0.25, 0.125, 0.375, 1, 9.5, 9.995, 99.5, 999.9995, 1e15, 1e16, 1e21, 1e22, 1e23,
    123_456_789, 0.1, 0.2, 0.3, 1.0 / 3, 2.0 / 3, 1e-4, 9.9999e-5, 0.000_099_999_5, 1e-5, 1e-300,
    .leastNonzeroMagnitude,
    .greatestFiniteMagnitude, -.greatestFiniteMagnitude, .leastNormalMagnitude, .ulpOfOne, .pi, 4_503_599_627_370_496.5,
    1.005, 2.675, 1e100, .nan, .infinity, -.infinity,
  ]

  static func random(_ count: Int) -> [Double] {
    var generator = SystemRandomNumberGenerator()
    return (0..<count).map { index in
      index.isMultiple(of: 2)
        ? Double(bitPattern: generator.next()) : Double.random(in: -1e6...1e6, using: &generator)
    }
  }

  /// The C library's word for a double that is not a number may carry a sign; ours does not.
  private func expected(_ format: String, _ count: Int, _ x: Double) -> String {
    x.isNaN ? "nan" : String(format: "%.\(count)\(format)", x)
  }

  @Test func fixedIsWhatTheCLibraryWrites() {
    for x in Self.corners + Self.random(400) {
      for decimals in [0, 1, 2, 3, 6, 17, 25] {
        #expect(fixed(x, decimals: decimals) == expected("f", decimals, x), "\(x) to \(decimals) decimals")
      }
    }
    #expect(fixed(Double.leastNonzeroMagnitude, decimals: 1_100) == expected("f", 1_100, Double.leastNonzeroMagnitude))
  }

  @Test func significantIsWhatTheCLibraryWrites() {
    for x in Self.corners + Self.random(400) {
      for digits in [1, 2, 4, 6, 17, 25] {
        #expect(significant(x, digits: digits) == expected("g", digits, x), "\(x) to \(digits) digits")
      }
    }
  }

  @Test func groups() {
    #expect(grouped(0) == "0")
    #expect(grouped(999) == "999")
    #expect(grouped(-1_000) == "-1,000")
    #expect(grouped(1_234_567) == "1,234,567")
    #expect(grouped(.min) == "-9,223,372,036,854,775,808")
  }
}
