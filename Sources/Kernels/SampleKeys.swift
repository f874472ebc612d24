/// Keys by which samples are drawn: those rows belong to a sample of n whose keys are the n lowest.
///
/// A row's key is a function of the seed and the row's number alone, so that it does not matter who sees which rows in what order, and samples of
/// parts merge into that of the whole.
///
/// Source: P. Efraimidis, P. Spirakis, Weighted Random Sampling with a Reservoir (2006).
public struct SampleKeys: Sendable {
  private let stream: RandomStream

  /// - Parameter purpose: tells the samples of one seed from each other.
  public init(seed: UInt64, purpose: UInt64) { stream = RandomStream(seed: seed, stream: purpose) }

  /// A number of the middles of 2⁵³ equal parts of (0, 1), each with the same chance.
  public func uniform(_ number: UInt64) -> Double {
    let high = UInt64(stream.word(at: 2 &* number))
    let low = UInt64(stream.word(at: 2 &* number &+ 1))
    return (Double((high << 32 | low) >> 11) + 0.5) * 0x1p-53
  }

  /// The key of the row `number`: exponentially distributed with rate `weight`, above 0.
  public func key(_ number: UInt64, weight: Double) -> Double { -ScalarMath.logarithm(uniform(number)) / weight }
}
