internal import Kernels

/// Draws the rows of a source that are learned: each by itself, with its own chance (Poisson sampling).
///
/// What is drawn for a row depends on the seed, the name of the source and the row's number in it alone: a stream that is resumed, on any number of
/// ranks, draws as it would have.
struct RowSampler {
  private let rule: SampleRule
  private let keys: SampleKeys
  /// The place of the feature by which chances go.
  private let weight: Int?

  /// - Parameter columns: the names of the features; empty where they have none.
  /// - Returns: nil where there is no such feature.
  init?(_ rule: SampleRule, source: String, columns: [String]) {
    self.rule = rule
    keys = SampleKeys(seed: UInt64(rule.seed), purpose: RowNumbers.hash(of: source))
    weight = rule.weight.flatMap { columns.firstIndex(of: $0) }
    guard rule.weight == nil || weight != nil else { return nil }
  }

  /// Whether the row is learned; nil where its weight is none.
  /// - Parameters:
  ///   - number: of the row in its source.
  ///   - target: the class, where rules go by it.
  ///   - feature: the value of a feature of the row.
  func takes(_ number: Int, target: Float, feature: (Int) -> Float) -> Bool? {
    var chance = rule.fraction
    // A class that came later has no factor.
    if Int(target) < rule.classes.count { chance *= rule.classes[Int(target)] }
    if let weight {
      let factor = Double(feature(weight))
      guard factor >= 0, factor.isFinite else { return nil }
      chance *= factor
    }
    return keys.uniform(UInt64(number)) < chance
  }
}
