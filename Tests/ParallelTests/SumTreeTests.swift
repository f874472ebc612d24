import Parallel
import Testing

@Suite struct SumTreeTests {
  /// The sum of a node as its definition says it, in symbols whose order and brackets show.
  private static func sum(level: Int, index: Int, leaves: Int) -> String? {
    let start = index << level
    guard start < leaves else { return nil }
    guard level > 0 else { return "\(start)" }
    guard let left = sum(level: level - 1, index: 2 * index, leaves: leaves) else { return nil }
    guard let right = sum(level: level - 1, index: 2 * index + 1, leaves: leaves) else { return left }
    return "(\(left)+\(right))"
  }

  private static func sum(leaves: Int) -> String? {
    var level = 0
    while 1 << level < leaves { level += 1 }
    return sum(level: level, index: 0, leaves: leaves)
  }

  /// What is left in the slots of a rank that adds the leaves of `range`.
  private static func slots(_ tree: SumTree, _ range: Range<Int>) -> [String] {
    let steps = tree.localSteps(of: range)
    var slots = [String](repeating: "-", count: SumTree.slots(of: steps))
    var next = range.lowerBound
    for step in steps {
      switch step {
      case .place(let slot):
        slots[slot] = "\(next)"
        next += 1
      case .add(let slot):
        slots[slot] = "(\(slots[slot])+\(slots[slot + 1]))"
      }
    }
    #expect(next == range.upperBound)
    return slots
  }

  /// Every way of sharing up to 40 virtual ranks among ranks, also among more ranks than there are virtual ones.
  @Test(arguments: 1...40) func associationIsThatOfOneRank(leaves: Int) throws {
    let tree = SumTree(leaves: leaves)
    let expected = try #require(Self.sum(leaves: leaves))
    for ranks in 1...leaves + 3 {
      let virtualRanks = VirtualRanks(count: leaves, ranks: ranks)
      var pieces: [SumTree.Node] = []
      var sums: [String] = []
      for rank in 0..<ranks {
        let range = virtualRanks.run(by: rank)
        let own = tree.pieces(of: range)
        // The pieces cover the range without a gap, and each slot holds one.
        #expect(own.flatMap { Array($0.leaves) } == Array(range))
        let slots = Self.slots(tree, range)
        pieces += own
        sums += slots[..<own.count]
      }
      for addition in tree.finalAdditions(of: pieces) {
        #expect(addition.into < addition.from)
        sums[addition.into] = "(\(sums[addition.into])+\(sums[addition.from]))"
      }
      #expect(sums[0] == expected, "\(leaves) leaves on \(ranks) ranks")
    }
  }

  /// Memory for gradients grows with the logarithm of the virtual ranks of a rank.
  @Test func fewSlots() {
    for leaves in 1...300 {
      let slots = SumTree.slots(of: SumTree(leaves: leaves).localSteps(of: 0..<leaves))
      #expect(slots <= leaves.bitWidth - leaves.leadingZeroBitCount + 1, "\(leaves) leaves")
    }
  }
}
