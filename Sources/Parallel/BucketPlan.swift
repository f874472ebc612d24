/// How a gradient is cut into the buckets of a `BucketExchange`.
struct BucketPlan {
  /// Where the elements of each bucket are in a slot, in the order in which they go; the last has the totals of the step too.
  let parts: [[Range<Int>]]
  /// How many pieces of the tree each rank has.
  let pieces: [Int]
  private let additions: [SumTree.Addition]

  /// - Parameters:
  ///   - count: floats of the gradient, behind which the totals end at `width`.
  ///   - sliceFloats: floats of a piece that a rank sends another at a time, about.
  init(count: Int, width: Int, sliceFloats: Int, virtualRanks: VirtualRanks, mode: GradientReduction) {
    let leaves = Self.leaves(virtualRanks, mode)
    let nodes = OrderedExchange.pieces(leaves)
    pieces = nodes.map(\.count)
    additions = SumTree(leaves: leaves.count).finalAdditions(of: nodes.flatMap { $0 })
    let size = sliceFloats * virtualRanks.ranks
    var parts: [[Range<Int>]] = []
    var end = count
    while end > 0 {
      let start = max(0, end - size)
      parts.append([start..<end])
      end = start
    }
    parts[parts.count - 1].append(count..<width)
    self.parts = parts
  }

  /// Under `fast` each rank has one sum, whatever it is of.
  private static func leaves(_ virtualRanks: VirtualRanks, _ mode: GradientReduction) -> VirtualRanks {
    mode == .ordered ? virtualRanks : VirtualRanks(count: virtualRanks.ranks, ranks: virtualRanks.ranks)
  }

  /// How many pieces each rank sends.
  static func pieces(_ virtualRanks: VirtualRanks, _ mode: GradientReduction) -> [Int] {
    OrderedExchange.pieces(leaves(virtualRanks, mode)).map(\.count)
  }

  func buckets(rank: Int) -> [GradientBucket] {
    parts.map { GradientBucket(parts: $0, pieces: pieces, additions: additions, rank: rank) }
  }
}
