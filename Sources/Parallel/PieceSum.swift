import Kernels

/// Adds pieces of a gradient along the tree, a block at a time, as far as they are halves of nodes.
///
/// Everything lies in one buffer: the pieces, room for partial sums, and the places of the sums. A sum may take the place of any piece.
struct PieceSum {
  /// Floats of a block: with those of parameters and moments it stays in a core's second cache until the update.
  static let blockFloats = 16_384

  private enum Place {
    case piece(Int)
    case scratch(Int)
  }

  private enum Target {
    case scratch(Int)
    case result(Int)
  }

  private struct Addition {
    let left: Place
    let right: Place
    let target: Target
  }

  private let additions: [Addition]
  /// Pieces that are sums by themselves: the number of the sum and that of the piece.
  private let copies: [(result: Int, piece: Int)]
  /// How many sums there are.
  let results: Int
  /// Partial sums that are kept at a time, a block each.
  let levels: Int

  /// - Parameter steps: how the pieces, each placed in turn, add up.
  init(_ steps: [SumTree.Step]) {
    var stack: [Place] = []
    var sums: [(left: Place, right: Place, slot: Int)] = []
    var next = 0
    for step in steps {
      switch step {
      case .place:
        stack.append(.piece(next))
        next += 1
      case .add(let slot):
        let right = stack.removeLast()
        let left = stack.removeLast()
        sums.append((left, right, slot))
        stack.append(.scratch(slot))
      }
    }
    results = stack.count
    copies = stack.enumerated().compactMap { result, place in
      if case .piece(let piece) = place { (result, piece) } else { nil }
    }
    // What is added last at the place of a sum is that sum. All before it may still need the piece whose place it takes.
    let last = stack.enumerated().map { result, place -> Int? in
      guard case .scratch = place else { return nil }
      return sums.lastIndex { $0.slot == result }
    }
    let additions = sums.enumerated().map { index, sum in
      let isResult = sum.slot < stack.count && last[sum.slot] == index
      return Addition(left: sum.left, right: sum.right, target: isResult ? .result(sum.slot) : .scratch(sum.slot))
    }
    self.additions = additions
    levels = additions.reduce(0) { most, addition in
      if case .scratch(let level) = addition.target { max(most, level + 1) } else { most }
    }
  }

  /// Adds the elements in `range`, at most `blockFloats`, of all pieces.
  /// - Parameters:
  ///   - pieces: where element 0 of each piece is.
  ///   - scratch: where there are `levels` blocks of room.
  ///   - sums: where element 0 of each sum is to be.
  func add(_ range: Range<Int>, of pieces: [Int], scratch: Int, to sums: [Int], within buffer: inout FloatBuffer) {
    precondition(range.count <= Self.blockFloats, "a block of \(range.count) elements")
    let start = range.lowerBound
    func offset(_ place: Place) -> Int {
      switch place {
      case .piece(let piece): pieces[piece] + start
      case .scratch(let level): scratch + level * Self.blockFloats
      }
    }
    for addition in additions {
      let target =
        switch addition.target {
        case .scratch(let level): scratch + level * Self.blockFloats
        case .result(let result): sums[result] + start
        }
      Elementwise.sum(
        within: &buffer, offset(addition.left), offset(addition.right), count: range.count, to: target)
    }
    for copy in copies where pieces[copy.piece] != sums[copy.result] {
      let from = pieces[copy.piece] + start
      buffer.move(range: from..<from + range.count, to: sums[copy.result] + start)
    }
  }
}

extension Range<Int> {
  /// The range in blocks of `PieceSum`, in order; made once, so that a step allocates nothing.
  var blocks: [Range<Int>] {
    stride(from: lowerBound, to: upperBound, by: PieceSum.blockFloats).map {
      $0..<Swift.min($0 + PieceSum.blockFloats, upperBound)
    }
  }
}
