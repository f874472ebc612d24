import Foundation
import Testing

@testable import Preparation

struct DecimalParserTests {
  private let parser = DecimalParser()

  private func double(_ text: String) -> Double? {
    let bytes = Array(text.utf8)
    return parser.double(bytes.span, 0..<bytes.count)
  }

  private func float(_ text: String) -> Float? {
    let bytes = Array(text.utf8)
    return parser.float(bytes.span, 0..<bytes.count)
  }

  /// Compares both parsers with the C library's, bit for bit.
  private func check(_ text: String, sourceLocation: SourceLocation = #_sourceLocation) {
    let wide = double(text)
    let narrow = float(text)
    if wide?.bitPattern != strtod(text, nil).bitPattern || narrow?.bitPattern != strtof(text, nil).bitPattern {
      Issue.record(
        "\(text): \(String(describing: wide)), \(String(describing: narrow))", sourceLocation: sourceLocation)
    }
  }

  @Test(
    arguments: [
      "0", "-0", "+0", "0.0", "-0.000e-5", "0e999999999999999999999", "1", "-1", "+17", "5.", ".5", "-.5e-3", "1e5",
      "1E+05", "007",
      "3.141592653589793", "0.05644299999999999", "1.7976931348623157e308", "1.7976931348623159e308", "1e309", "-1e400",
      "2.2250738585072011e-308", "2.2250738585072014e-308", "4.9406564584124654e-324", "2.4703282292062327e-324",
      "2.4703282292062328e-324", "1e-400", "9007199254740991", "9007199254740992", "9007199254740993",
      "9007199254740993.0000001",
      "9007199254740995", "18446744073709551615", "18446744073709551616", "99999999999999999999", "1e22", "1e23",
      "8.5e22",
      "9.5e-22", "1e-23", "123456789012345678901234567890",
      "0.000000000000000000000000000000000000123456789012345678901234567890",
      "6.8943553e-43", "1.17549429e-38", "1.17549435e-38", "1.40129846e-45", "7.0064923216240853e-46",
      "7.0064923216240854e-46",
      "3.4028235e38", "3.4028236e38", "16777215", "16777217", "16777217.0", "16777217.00000000000000001",
      "16777216.99999999999999999", "33554433", "1.00000005960464477539062500", "1.00000005960464477539062501",
      "1.00000005960464477539062499", "7.2057594037927933e16", "1.448997445238699", "104110013277974872254e-225",
      "8.881784197001252323389053344726562500000000e-16", "1.00000000000000011102230246251565404236316680908203125",
      "1.00000000000000011102230246251565404236316680908203124",
      "1.00000000000000011102230246251565404236316680908203126",
      "5e-324", "1e64", "1e65", "1e-64", "1e-65", "3e-28", "7e55", "7e56",
    ])
  func agreesWithTheLibraryOnHardCases(text: String) { check(text) }

  @Test func agreesWithTheLibraryOnManyNumbers() {
    var generator = SplitMix(state: 20_261_121)
    for _ in 0..<40_000 {
      let value = Double(bitPattern: generator.next())
      if value.isFinite { check("\(value)") }
      let small = Float(bitPattern: UInt32(truncatingIfNeeded: generator.next()))
      if small.isFinite { check("\(small)") }
      // Numbers as tables hold them, with every count of digits and every near exponent.
      let digits = generator.next() >> (generator.next() % 64)
      check("\(digits)e\(Int(generator.next() % 140) - 70)")
      check("\(digits % 1_000_000_000).\(generator.next() % 1_000_000_000)")
    }
  }

  @Test func agreesWithTheLibraryHalfWayBetweenNumbers() {
    var generator = SplitMix(state: 7)
    for _ in 0..<10_000 {
      // The middle between two neighbouring doubles below 2^64 has at most 54 bits and is an exact decimal.
      let odd = (1 << 53 | generator.next() >> 11) << 1 | 1
      for shift in 0..<9 { check("\(odd << UInt64(shift))") }
      // The same for floats, with a digit more on either side.
      let middle = (1 << 24 | generator.next() >> 40) << 1 | 1
      check("\(middle)")
      check("\(middle).0000000000000000000001")
      check("\(middle - 1).9999999999999999999999")
      check("\(Double(middle) / 1024)")
    }
  }

  @Test func passesOverSpacesAroundANumber() {
    #expect(double("  12.5\t") == 12.5)
    #expect(float(" -3 ") == -3)
    #expect(double(" 123456789012345678901234567890 ") == 1.2345678901234568e29)
  }

  @Test(
    arguments: [
      "", " ", "-", "+", ".", "-.", "e5", "1e", "1e+", "1e-", "1e5.", "1.2.3", "1,5", "1 2", "0x10", "nan", "inf",
      "-inf", "Infinity",
      "1f", "--1", "+-1", "1_000", "１", "12a", "a12", "1e5e5", ".e5",
    ])
  func refusesWhatIsNoNumber(text: String) {
    #expect(double(text) == nil)
    #expect(float(text) == nil)
  }
}

/// A small generator with a fixed sequence, so that a failure can be repeated.
struct SplitMix: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
    return mixed ^ (mixed >> 31)
  }
}
