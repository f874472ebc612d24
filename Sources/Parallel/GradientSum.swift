import Kernels
import MPI
import Model

/// The gradient of a step on its way from the virtual ranks to their sum.
///
/// A *slot* holds one gradient with the totals of the step behind it. Virtual ranks' gradients are put into slots and added along
/// the tree as far as this rank's virtual ranks go; `reduce` adds what is left over all ranks, and slot 0 is the sum: all of it, or,
/// where the optimizer's state is split, the slice that this rank updates.
final class GradientSum {
  /// What a rank does to its slots, in order.
  let steps: [SumTree.Step]
  private(set) var slots: FloatBuffer
  /// The part of the sum that this rank has after `reduce`.
  let owned: Range<Int>
  private let parameters: Int
  /// Floats of a slot.
  private let width: Int
  private let blocks: NormBlocks
  private let exchange: OrderedExchange?
  private let shards: GradientShards?
  /// Under `ordered` a rank without virtual ranks has no gradient for its flags to travel with.
  private let hasIdleRanks: Bool

  /// - Parameters:
  ///   - layout: of the gradient.
  ///   - virtualRanks: which virtual ranks each of the ranks runs.
  ///   - sharded: each rank ends with a slice of the sum only.
  init(layout: ParameterLayout, virtualRanks: VirtualRanks, rank: Int, mode: GradientReduction, sharded: Bool) {
    let slices = GradientSlices(layout, ranks: virtualRanks.ranks, sharded: sharded)
    parameters = layout.count
    width = slices.width
    blocks = slices.blocks
    owned = slices.owned[rank]
    hasIdleRanks = Self.hasIdleRanks(virtualRanks, mode)
    shards = slices.runs.map { GradientShards(slices, runs: $0, rank: rank, mode: mode) }
    steps = Self.steps(virtualRanks, rank: rank, mode)
    slots = FloatBuffer(count: slices.width * Self.slots(virtualRanks, rank: rank, mode))
    exchange =
      mode == .ordered && virtualRanks.ranks > 1
      ? OrderedExchange(virtualRanks: virtualRanks, rank: rank, slices: slices) : nil
  }

  private static func steps(_ virtualRanks: VirtualRanks, rank: Int, _ mode: GradientReduction) -> [SumTree.Step] {
    switch mode {
    case .ordered: SumTree(leaves: virtualRanks.count).localSteps(of: virtualRanks.run(by: rank))
    case .fast: [.place(slot: 0)]
    }
  }

  /// How many gradients a rank holds before the reduction.
  static func slots(_ virtualRanks: VirtualRanks, rank: Int, _ mode: GradientReduction) -> Int {
    max(SumTree.slots(of: steps(virtualRanks, rank: rank, mode)), 1)
  }

  static func hasIdleRanks(_ virtualRanks: VirtualRanks, _ mode: GradientReduction) -> Bool {
    mode == .ordered && virtualRanks.ranks > virtualRanks.count
  }

  /// Lets `body` write the gradient of `slot`, which begins at the offset that it is given.
  func write<Result>(slot: Int, _ body: (inout FloatBuffer, _ offset: Int) throws -> Result) rethrows -> Result {
    try body(&slots, slot * width)
  }

  /// Sets the gradient of `slot` to zero: of a virtual rank without rows.
  func clear(slot: Int) { slots.fill(slot * width..<slot * width + parameters, with: 0) }

  /// Puts totals behind the gradient of `slot`.
  func store(_ totals: StepTotals, slot: Int) { totals.store(into: &slots, at: slot * width + parameters) }

  /// Adds `slot + 1` into `slot`.
  func add(slot: Int) {
    Elementwise.add(within: &slots, (slot + 1) * width..<(slot + 2) * width, to: slot * width)
  }

  /// Adds what the ranks hold; every rank ends with the sum of what it owns in slot 0. Collective.
  /// - Parameter needsNorm: `entrySums` will be asked for; the same on every rank.
  func reduce(
    raised: StepTotals, needsNorm: Bool, over communicator: borrowing Communicator
  ) throws(MPIError) -> StepTotals {
    if let shards {
      if let exchange {
        try exchange.reduceScatter(&slots, over: communicator)
      } else {
        try shards.reduceScatter(&slots, over: communicator)
      }
      return try shards.report(slots, raised: raised, needsNorm: needsNorm, over: communicator)
    }
    if communicator.size > 1 {
      if let exchange {
        try exchange.reduce(&slots, over: communicator)
      } else {
        try communicator.sum(&slots)
      }
    }
    var totals = StepTotals(from: slots, at: parameters)
    if hasIdleRanks {
      let own = [raised.stop, raised.save, raised.writing].map { $0 ? 1 : 0 } as [Int32]
      let flags = try communicator.allReduce(own, .maximum)
      totals.raise(StepTotals(stop: flags[0] > 0, save: flags[1] > 0, writing: flags[2] > 0))
    }
    return totals
  }

  /// Whether the sum is finite; the same on all ranks that added.
  var isFinite: Bool { shards?.isFinite ?? Elementwise.isFinite(slots, 0..<parameters) }

  /// The sum of squares of each tensor of the sum; the same bits on all ranks that added.
  func entrySums() -> [Double] {
    if let shards { return blocks.entrySums { shards.blockSums[$0] } }
    return blocks.entrySums { blocks.sum(ofBlock: $0, slots) }
  }

  /// Brings the parameters that each rank has updated to all. Collective.
  func share(_ parameters: inout FloatBuffer, over communicator: borrowing Communicator) throws(MPIError) {
    try shards?.share(&parameters, over: communicator)
  }
}
