import Foundation
import TestSupport
import Testing

/// What River says of electricity.csv; see make.py in the folder of the references.
struct River: Decodable {
  struct Signals: Decodable {
    let drifts: [Int]
    /// Runs of rows, each from its first one up to the one behind the last.
    let warnings: [[Int]]
  }

  let river: String
  let rows: Int
  let accuracy: [String: Double]
  private let errors: String
  let signals: [String: Signals]

  /// The errors of logistic SGD, which the detectors see.
  var values: [Double] {
    let digits = errors.compactMap { $0.hexDigitValue }
    return (0..<rows).map { Double(digits[$0 / 4] >> (3 - $0 % 4) & 1) }
  }

  /// The whole file, kept.
  static func kept() throws -> River {
    let url = try #require(Bundle.module.url(forResource: "river", withExtension: "json", subdirectory: "Reference"))
    return try JSONDecoder().decode(River.self, from: Data(contentsOf: url))
  }

  /// The first rows, by the River of the tests' Python.
  static func live(rows: Int) throws -> River {
    let script = try String(contentsOfFile: PackageRoot.file("Tests/OnlineTests/Reference/make.py"), encoding: .utf8)
    return try Python.value(script, [Electricity.path, String(rows)])
  }
}
