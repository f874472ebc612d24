import MPI

/// How a gradient is cut into the buckets of a `BucketExchange`.
struct BucketPlan {
  /// Where the elements of each bucket are in a slot, in the order in which they go; the last has the totals of the step too.
  let parts: [[Range<Int>]]
  /// How many pieces of the tree each rank has.
  let pieces: [Int]
  private let additions: [SumTree.Addition]
  /// Floats behind the gradient.
  private let totals: Int

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
    totals = width - count
  }

  /// Under `fast` each rank has one sum, whatever it is of.
  private static func leaves(_ virtualRanks: VirtualRanks, _ mode: GradientReduction) -> VirtualRanks {
    mode == .ordered ? virtualRanks : VirtualRanks(count: virtualRanks.ranks, ranks: virtualRanks.ranks)
  }

  /// How many pieces each rank sends.
  static func pieces(_ virtualRanks: VirtualRanks, _ mode: GradientReduction) -> [Int] {
    OrderedExchange.pieces(leaves(virtualRanks, mode)).map(\.count)
  }

  func buckets(rank: Int, _ precision: Wire.Precision) -> [GradientBucket] {
    parts.indices.map { index in
      GradientBucket(
        parts: parts[index], pieces: pieces, additions: additions, rank: rank,
        totals: index == parts.count - 1 ? totals : 0, precision: precision)
    }
  }

  /// What a rank sends in a step: pieces to the owners of slices, and the sums of its own slices to all. Like the plan, and without its
  /// list of buckets, which for some models is longer than any memory.
  static func traffic(
    count: Int, width: Int, sliceFloats: Int, virtualRanks: VirtualRanks, mode: GradientReduction,
    precision: Wire.Precision, rank: Int
  ) -> StepTraffic {
    let (ranks, pieces) = (virtualRanks.ranks, Self.pieces(virtualRanks, mode)[rank])
    let size = sliceFloats * ranks
    let whole = max(0, count - 1) / size
    let rest = count - whole * size
    func sent(_ slice: Range<Int>, gradient: Int) -> Int {
      guard precision != .float32 else { return slice.count }
      let rounded = slice.clamped(to: 0..<gradient).count
      return PackedRuns.packedCount(rounded: rounded, exact: slice.count - rounded)
    }
    var traffic = StepTraffic()
    func add(_ buckets: Int, elements: Int, gradient: Int) {
      let slices = Partition(total: elements, parts: ranks)
      for other in 0..<ranks {
        let bytes = 4 * buckets * sent(slices.range(of: other), gradient: gradient)
        if other == rank {
          traffic.collectives += Traffic(messages: buckets, bytes: bytes)
        } else if bytes > 0, pieces > 0 {
          traffic.messages += Traffic(messages: buckets, bytes: pieces * bytes)
        }
      }
    }
    add(whole, elements: size, gradient: size)
    add(1, elements: rest + width - count, gradient: rest)
    return traffic
  }
}
