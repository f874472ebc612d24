internal import JSON
internal import Kernels

/// Weights of scores of either class in 2¹⁶ bins, spaced as floats are: scores in one bin differ by less than a part in 128. Their memory does
/// not grow with the stream, and the area under the ROC curve is known up to half the share of pairs within a bin.
struct ScoreBins: Equatable, Sendable {
  private static let bins = 1 << 16
  private static let droppedBits: UInt32 = 16

  /// Those of class 0, then those of class 1.
  private var weights = [Double](repeating: 0, count: 2 * bins)

  @inline(__always)
  mutating func add(score: Float, isPositive: Bool, weight: Double) {
    weights[(isPositive ? Self.bins : 0) + Int(score.orderedBits >> Self.droppedBits)] += weight
  }

  mutating func scale(by factor: Double) {
    for index in weights.indices { weights[index] *= factor }
  }

  mutating func merge(_ other: ScoreBins) {
    for index in weights.indices { weights[index] += other.weights[index] }
  }

  /// The area, pairs within a bin counting half, and how far it may be from the exact one; nil if one of the classes is absent.
  var area: (value: Double, error: Double)? {
    var (below, positives, area, tied) = (0.0, 0.0, 0.0, 0.0)
    for bin in 0..<Self.bins {
      let (negative, positive) = (weights[bin], weights[Self.bins + bin])
      area += positive * (below + negative / 2)
      tied += positive * negative
      below += negative
      positives += positive
    }
    guard positives > 0, below > 0 else { return nil }
    return (area / positives / below, tied / 2 / positives / below)
  }
}

extension ScoreBins {
  /// The bins that are not empty.
  var json: JSONValue {
    let used = weights.indices.filter { weights[$0] != 0 }
    return .object([
      ("bins", .bits(used.map { Double($0) })), ("weights", .bits(used.map { weights[$0] })),
    ])
  }

  init(_ state: StateReader) throws(OnlineError) {
    let used = try state.doubles("bins")
    let values = try state.doubles("weights", count: used.count)
    for (bin, value) in zip(used, values) {
      guard let index = Int(exactly: bin), weights.indices.contains(index) else {
        throw state.error("there is no bin \(bin)")
      }
      weights[index] = value
    }
  }
}
