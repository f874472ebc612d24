import Kernels
import MPI

/// Adds the pieces of the ordered tree over all ranks.
///
/// Each rank owns a slice of the gradient: it receives that slice of all pieces, adds them along the tree, and hands the sum to all,
/// or keeps it. The bytes moved are those of the best all-reduce where each rank holds one piece.
final class OrderedExchange {
  private let mySlice: Range<Int>
  private let additions: [SumTree.Addition]
  private var received: FloatBuffer
  /// The rounds of the exchange: in round `k` each rank sends its `k`-th piece.
  private let rounds: [Round]
  private let gathering: Partition

  private struct Round {
    let sending: Partition
    let receiving: Partition
  }

  init(virtualRanks: VirtualRanks, rank: Int, slices gradient: GradientSlices) {
    let tree = SumTree(leaves: virtualRanks.count)
    let (slices, width) = (gradient.ranges, gradient.width)
    let pieces = Self.pieces(virtualRanks)
    // The first piece of each rank in the order of the tree.
    let firstPieces = pieces.indices.map { index in pieces[..<index].reduce(0) { $0 + $1.count } }
    let mine = slices[rank]
    mySlice = mine
    additions = tree.finalAdditions(of: pieces.flatMap { $0 })
    let pieceCount = pieces.reduce(0) { $0 + $1.count }
    received = FloatBuffer(count: pieceCount * mine.count)
    let roundCount = pieces.map(\.count).max() ?? 0
    rounds = (0..<roundCount).map { round in
      let sends = round < pieces[rank].count
      let sending = Partition(
        counts: slices.map { sends ? $0.count : 0 }, displacements: slices.map { round * width + $0.lowerBound })
      let receiving = Partition(
        counts: pieces.map { round < $0.count ? mine.count : 0 },
        displacements: firstPieces.map { ($0 + round) * mine.count })
      return Round(sending: sending, receiving: receiving)
    }
    gathering = Partition(counts: slices.map(\.count), displacements: slices.map(\.lowerBound))
  }

  /// What each rank holds when it has added what it can by itself.
  static func pieces(_ virtualRanks: VirtualRanks) -> [[SumTree.Node]] {
    let tree = SumTree(leaves: virtualRanks.count)
    return (0..<virtualRanks.ranks).map { tree.pieces(of: virtualRanks.run(by: $0)) }
  }

  /// Leaves the sum of its slice on each rank.
  private func add(_ slots: borrowing FloatBuffer, over communicator: borrowing Communicator) throws(MPIError) {
    for round in rounds {
      try communicator.allToAll(slots, round.sending, into: &received, round.receiving)
    }
    for addition in additions {
      let from = addition.from * mySlice.count
      Elementwise.add(within: &received, from..<from + mySlice.count, to: addition.into * mySlice.count)
    }
  }

  /// Leaves the sum in slot 0 of every rank.
  func reduce(_ slots: inout FloatBuffer, over communicator: borrowing Communicator) throws(MPIError) {
    try add(slots, over: communicator)
    try communicator.allGather(received, into: &slots, gathering)
  }

  /// Leaves the sum of its slice in slot 0 of each rank.
  func reduceScatter(_ slots: inout FloatBuffer, over communicator: borrowing Communicator) throws(MPIError) {
    try add(slots, over: communicator)
    slots.copy(from: received, range: 0..<mySlice.count, to: mySlice.lowerBound)
  }
}
