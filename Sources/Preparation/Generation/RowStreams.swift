internal import Kernels

/// The random numbers of the rows: what a row needs is a function of the seed and its number, whoever makes it.
struct RowStreams {
  /// Tells streams apart; the values are part of what a seed means.
  enum Purpose: UInt64 {
    case parameters = 1
    case features
    case targets
    case missing
    case drift
  }

  /// Two words a normal number, one after the other over all columns and rows.
  var features: RandomStream
  var targets: RandomStream
  private var missing: RandomStream
  private let drift: RandomStream
  private let columns: Int
  private var number = 0

  /// Words of a row's target: more than its few draws take, also where a draw below a bound is repeated.
  private static let targetWords: UInt64 = 64

  init(_ request: GenerationRequest) {
    features = Self.stream(.features, seed: request.seed)
    targets = Self.stream(.targets, seed: request.seed)
    missing = Self.stream(.missing, seed: request.seed)
    drift = Self.stream(.drift, seed: request.seed)
    columns = request.columns
  }

  /// Tells the streams of generated data from all others of the same seed: "data".
  private static let label: UInt64 = 0x64_6174_61

  static func stream(_ purpose: Purpose, seed: Int, _ number: UInt64 = 0) -> RandomStream {
    RandomStream(seed: UInt64(bitPattern: Int64(seed)), stream: label, purpose.rawValue, number)
  }

  /// Goes to the numbers of this row.
  mutating func seek(row: Int) {
    number = row
    features.position = UInt64(row) &* UInt64(columns) &* 2
    targets.position = UInt64(row) &* Self.targetWords
    missing.position = UInt64(row) &* UInt64(columns)
  }

  /// What decides on the row's side of a drift.
  var driftNumber: Float { drift.uniform(at: UInt64(number)) }

  /// Makes each value NaN with the probability `share`.
  mutating func remove(_ share: Double, from features: inout [Double]) {
    guard share > 0 else { return }
    for column in features.indices where Double(missing.uniform()) < share { features[column] = .nan }
  }
}
