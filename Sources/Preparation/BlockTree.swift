/// Adds up what belongs to the blocks of a table, in an order that depends on nothing but the number of each block: a binary tree
/// over the blocks. So sums that are rounded come out the same however the blocks are dealt to ranks.
struct BlockTree<State> {
  /// A whole branch: 2^level blocks from `index` · 2^level on.
  struct Branch {
    var level: Int
    var index: Int
    var state: State
  }

  /// From the left to the right; no two of them make a branch together.
  private(set) var branches: [Branch] = []
  private let merge: (inout State, State) -> Void

  /// - Parameter merge: adds the state of blocks behind to that of blocks before.
  init(_ merge: @escaping (inout State, State) -> Void) {
    self.merge = merge
  }

  /// Takes the next branch; a block is one of level 0. No block may be missing between the first and the last.
  mutating func append(_ branch: Branch) {
    var branch = branch
    while let last = branches.last, last.level == branch.level, last.index % 2 == 0, last.index + 1 == branch.index {
      branches.removeLast()
      var state = last.state
      merge(&state, branch.state)
      branch = Branch(level: last.level + 1, index: last.index / 2, state: state)
    }
    branches.append(branch)
  }

  /// All branches together, once those of all blocks from 0 on have been taken; nil if there is none.
  var total: State? {
    guard var total = branches.last?.state else { return nil }
    for branch in branches.dropLast().reversed() {
      var state = branch.state
      merge(&state, total)
      total = state
    }
    return total
  }
}
