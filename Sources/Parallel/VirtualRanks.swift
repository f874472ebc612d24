/// Which rank runs which virtual ranks.
///
/// Rank `r` of `N` runs the virtual ranks `⌊V·r/N⌋ ..< ⌊V·(r+1)/N⌋`. With more ranks than virtual ranks some ranks run none; they take
/// part in the reductions all the same.
public struct VirtualRanks: Equatable, Sendable {
  /// More than any machine has ranks; each costs a little in every step.
  public static let most = 1 << 16

  public let count: Int
  public let ranks: Int

  public init(count: Int, ranks: Int) {
    precondition(count > 0 && ranks > 0, "\(count) virtual ranks on \(ranks) ranks")
    self.count = count
    self.ranks = ranks
  }

  /// The number of virtual ranks where a job names none: that of the ranks, or of the shards if that is larger.
  ///
  /// Each virtual rank computes a gradient of its own and holds a window of rows. So many shards count only as leave each virtual
  /// rank about 32 rows of a batch, and never more than 64; up to 8 always count.
  public static func count(ranks: Int, shards: Int, batchRows: Int) -> Int {
    max(ranks, min(shards, max(8, min(64, batchRows / 32))))
  }

  /// The virtual ranks that `rank` runs.
  public func run(by rank: Int) -> Range<Int> {
    count * rank / ranks..<count * (rank + 1) / ranks
  }
}
