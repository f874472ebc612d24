/// Which rank runs which virtual ranks.
///
/// Rank `r` of `N` runs the virtual ranks `⌊V·r/N⌋ ..< ⌊V·(r+1)/N⌋`. With more ranks than virtual ranks some ranks run none; they take
/// part in the reductions all the same.
public struct VirtualRanks: Equatable, Sendable {
  public let count: Int
  public let ranks: Int

  public init(count: Int, ranks: Int) {
    precondition(count > 0 && ranks > 0, "\(count) virtual ranks on \(ranks) ranks")
    self.count = count
    self.ranks = ranks
  }

  /// The virtual ranks that `rank` runs.
  public func run(by rank: Int) -> Range<Int> {
    count * rank / ranks..<count * (rank + 1) / ranks
  }
}
