import Kernels
import MPI

/// The gradient of a step on its way from the virtual ranks to their sum.
///
/// A *slot* holds one gradient with the totals of the step behind it. Virtual ranks' gradients are put into slots and added along
/// the tree as far as this rank's virtual ranks go; `reduce` adds what is left over all ranks, and slot 0 is the sum.
final class GradientSum {
  /// What a rank does to its slots, in order.
  let steps: [SumTree.Step]
  private(set) var slots: FloatBuffer
  private let parameters: Int
  /// Floats of a slot: parameters and totals, up to a multiple of a cache line.
  private let width: Int
  private let mode: GradientReduction
  private let exchange: OrderedExchange?
  /// Under `ordered` a rank without virtual ranks has no gradient for its flags to travel with.
  private let hasIdleRanks: Bool

  /// - Parameters:
  ///   - parameters: floats of a gradient.
  ///   - virtualRanks: which virtual ranks each of the ranks runs.
  init(parameters: Int, virtualRanks: VirtualRanks, rank: Int, mode: GradientReduction) {
    self.parameters = parameters
    self.mode = mode
    width = Self.padded(parameters + StepTotals.width)
    hasIdleRanks = mode == .ordered && virtualRanks.ranks > virtualRanks.count
    switch mode {
    case .ordered:
      let tree = SumTree(leaves: virtualRanks.count)
      steps = tree.localSteps(of: virtualRanks.run(by: rank))
      slots = FloatBuffer(count: width * max(SumTree.slots(of: steps), 1))
      exchange =
        virtualRanks.ranks > 1 ? OrderedExchange(tree: tree, virtualRanks: virtualRanks, rank: rank, width: width) : nil
    case .fast:
      steps = [.place(slot: 0)]
      slots = FloatBuffer(count: width)
      exchange = nil
    }
  }

  /// Lets `body` write the gradient of `slot`, which begins at the offset that it is given, and puts the totals it returns behind.
  func place(slot: Int, _ body: (inout FloatBuffer, _ offset: Int) throws -> StepTotals) rethrows {
    let totals = try body(&slots, slot * width)
    totals.store(into: &slots, at: slot * width + parameters)
  }

  /// Adds `slot + 1` into `slot`.
  func add(slot: Int) {
    Elementwise.add(within: &slots, (slot + 1) * width..<(slot + 2) * width, to: slot * width)
  }

  /// Adds what the ranks hold; every rank ends with the sum in slot 0. Collective.
  func reduce(raised: StepTotals, over communicator: borrowing Communicator) throws -> StepTotals {
    if communicator.size > 1 {
      switch mode {
      case .ordered: try exchange?.reduce(&slots, over: communicator)
      case .fast: try communicator.sum(&slots)
      }
    }
    var totals = StepTotals(from: slots, at: parameters)
    if hasIdleRanks {
      let flags = try communicator.allReduce([raised.stop ? 1 : 0, raised.save ? 1 : 0] as [Int32], .maximum)
      totals.stop = flags[0] > 0
      totals.save = flags[1] > 0
    }
    return totals
  }

  /// The gradient in slot 0.
  var range: Range<Int> { 0..<parameters }

  private static func padded(_ count: Int) -> Int { (count + 15) / 16 * 16 }
}

/// How many gradients a rank holds at a time.
public enum GradientSlots {
  public static func most(virtualRanks: VirtualRanks, run: Range<Int>, mode: GradientReduction) -> Int {
    guard mode == .ordered else { return 1 }
    let tree = SumTree(leaves: virtualRanks.count)
    let received = virtualRanks.ranks > 1 ? 1 : 0
    return max(SumTree.slots(of: tree.localSteps(of: run)), 1) + received
  }
}

/// Adds the pieces of the ordered tree over all ranks.
///
/// Each rank owns a slice of the gradient: it receives that slice of all pieces, adds them along the tree, and hands the sum to all.
/// The bytes moved are those of the best all-reduce where each rank holds one piece.
private final class OrderedExchange {
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

  init(tree: SumTree, virtualRanks: VirtualRanks, rank: Int, width: Int) {
    let ranks = virtualRanks.ranks
    let lines = width / 16
    let slices = (0..<ranks).map { lines * $0 / ranks * 16..<lines * ($0 + 1) / ranks * 16 }
    let pieces = (0..<ranks).map { tree.pieces(of: virtualRanks.run(by: $0)) }
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

  func reduce(_ slots: inout FloatBuffer, over communicator: borrowing Communicator) throws {
    for round in rounds {
      try communicator.allToAll(slots, round.sending, into: &received, round.receiving)
    }
    for addition in additions {
      let from = addition.from * mySlice.count
      Elementwise.add(within: &received, from..<from + mySlice.count, to: addition.into * mySlice.count)
    }
    try communicator.allGather(received, into: &slots, gathering)
  }
}
