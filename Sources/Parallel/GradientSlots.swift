/// How many gradients a rank holds at a time.
public enum GradientSlots {
  public static func most(virtualRanks: VirtualRanks, run: Range<Int>, mode: GradientReduction) -> Int {
    guard mode == .ordered else { return 1 }
    let tree = SumTree(leaves: virtualRanks.count)
    let received = virtualRanks.ranks > 1 ? 1 : 0
    return max(SumTree.slots(of: tree.localSteps(of: run)), 1) + received
  }
}
