import Kernels
import MPI
import Model

/// The parameters of a rank, and the gradient of a step on its way from the virtual ranks to their sum.
///
/// A *slot* holds one gradient with the totals of the step behind it. Virtual ranks' gradients are put into slots and added along
/// the tree as far as this rank's virtual ranks go; `reduce` adds what is left over all ranks, and slot 0 is the sum: all of it, or,
/// where the optimizer's state is split, the slice that this rank updates. Where ranks share memory, parameters and slots are there.
final class GradientSum {
  /// What a rank does to its slots, in order; where the exchange overlaps with computing, up to its last gradient.
  let steps: [SumTree.Step]
  private(set) var parameters: FloatBuffer
  private var slots: FloatBuffer
  /// The part of the sum that this rank has after `reduce`, or in `update`, and of the parameters that it updates.
  let owned: Range<Int>
  private let count: Int
  /// Floats of a slot.
  private let width: Int
  private let blocks: NormBlocks
  private let exchange: OrderedExchange?
  private let shards: GradientShards?
  private let buckets: BucketExchange?
  /// Whether this rank's last gradient can be handed over while it is computed.
  let overlaps: Bool
  private var isComplete = true
  /// The sum of the last step was of use, and applied: what rounding has left out of it belongs to the next.
  private var isApplied = true
  private var hasFiniteLoss = true
  private let node: NodeReduction?
  /// Seconds spent in the reduction and in bringing updated parameters to others, so far.
  private(set) var secondsReducing = 0.0
  /// Under `ordered` a rank without virtual ranks has no gradient for its flags to travel with.
  private let hasIdleRanks: Bool

  /// Collective.
  /// - Parameters:
  ///   - layout: of the parameters.
  ///   - virtualRanks: which virtual ranks each of the ranks runs.
  ///   - sharded: each rank ends with a slice of the sum only.
  ///   - overlap: where the sum over ranks begins while gradients are computed: what a rank sends another at a time.
  ///   - nodes: which ranks share memory; nil where each has its own.
  ///   - wire: how numbers go from node to node, or from rank to rank where none share memory. Those of slices that ranks keep go
  ///     rounded only with `nodes`.
  init(
    layout: ParameterLayout, virtualRanks: VirtualRanks, mode: GradientReduction, sharded: Bool,
    overlap: Overlap? = nil, nodes: NodeMap?, wire: Wire, over communicator: borrowing Communicator
  ) throws {
    precondition(
      wire.precision == .float32 || !sharded || nodes != nil || virtualRanks.ranks == 1,
      "slices that go rounded, and no nodes")
    let rank = communicator.rank
    let slices = GradientSlices(layout, ranks: virtualRanks.ranks, sharded: sharded || nodes != nil)
    count = layout.count
    width = slices.width
    blocks = slices.blocks
    owned = slices.owned[rank]
    hasIdleRanks = Self.hasIdleRanks(virtualRanks, mode)
    let all = Self.steps(virtualRanks, rank: rank, mode)
    if let nodes {
      let node = try NodeReduction(
        NodePlan(layout, virtualRanks, rank: rank, mode: mode, map: nodes), wire: wire, over: communicator)
      self.node = node
      parameters = FloatBuffer(sharing: node.parameters)
      slots = FloatBuffer(sharing: node.slots)
      (shards, exchange, buckets, steps, overlaps) = (nil, nil, nil, all, false)
      return
    }
    node = nil
    parameters = FloatBuffer(count: layout.count)
    overlaps = overlap != nil && !sharded && virtualRanks.ranks > 1
    if overlaps || wire.precision != .float32, virtualRanks.ranks > 1 {
      let last = all.lastIndex { if case .place = $0 { true } else { false } } ?? -1
      let end = overlaps ? last + 1 : all.count
      steps = Array(all[..<end])
      let additions = all[end...].compactMap { if case .add(let slot) = $0 { slot } else { nil } }
      let plan = BucketPlan(
        count: layout.count, width: slices.width, sliceFloats: overlap?.sliceFloats ?? wire.portionFloats,
        virtualRanks: virtualRanks, mode: mode)
      buckets = try BucketExchange(
        plan, rank: rank, width: slices.width, additions: additions, precision: wire.precision, over: communicator)
    } else {
      steps = all
      buckets = nil
    }
    slots = FloatBuffer(count: slices.width * Self.slots(virtualRanks, rank: rank, mode))
    shards = slices.runs.map { GradientShards(slices, runs: $0, rank: rank, mode: mode) }
    exchange =
      mode == .ordered && virtualRanks.ranks > 1 && buckets == nil
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

  /// How many gradients this rank puts into slots in a step.
  var summands: Int { steps.count { if case .place = $0 { true } else { false } } }

  /// Whether ranks that hold the same parameters update a part each.
  var isSharded: Bool { shards != nil || node != nil }

  /// The gradients of a step follow. Collective.
  func begin() {
    if !isApplied {
      buckets?.forget()
      node?.forget()
    }
    isApplied = false
    node?.begin()
  }

  /// Lets `body` write the gradient of `slot`, which begins at the offset that it is given.
  func write<Result>(slot: Int, _ body: (inout FloatBuffer, _ offset: Int) throws -> Result) rethrows -> Result {
    try body(&slots, slot * width)
  }

  /// Sets the gradient of `slot` to zero: of a virtual rank without rows.
  func clear(slot: Int) { slots.fill(slot * width..<slot * width + count, with: 0) }

  /// Puts totals behind the gradient of `slot`.
  func store(_ totals: StepTotals, slot: Int) { totals.store(into: &slots, at: slot * width + count) }

  /// Hands over what is complete of `slots`, which `write` gave, where the last gradient is complete from `start` on.
  func hand(from start: Int, _ slots: inout FloatBuffer) { buckets?.hand(from: start, &slots) }

  /// This rank cannot compute its gradients; the others are told in the reduction.
  func abandon() {
    store(StepTotals(failed: true), slot: 0)
    isComplete = false
  }

  /// Adds `slot + 1` into `slot`.
  func add(slot: Int) {
    Elementwise.add(within: &slots, (slot + 1) * width..<(slot + 2) * width, to: slot * width)
  }

  /// Adds what the ranks hold; every rank ends with the sum of what it owns in slot 0. Collective.
  /// - Parameters:
  ///   - needsNorm: `entrySums` will be asked for; the same on every rank, like the next.
  ///   - needsFinite: `isFinite` will be asked for. (Where ranks share memory that takes a message more.)
  func reduce(
    raised: StepTotals, needsNorm: Bool, needsFinite: Bool, over communicator: borrowing Communicator
  ) throws(MPIError) -> StepTotals {
    let start = ContinuousClock.now
    defer { secondsReducing += (ContinuousClock.now - start) / .seconds(1) }
    let totals = try sum(raised: raised, needsNorm: needsNorm, needsFinite: needsFinite, over: communicator)
    hasFiniteLoss = totals.lossSum.isFinite
    return totals
  }

  private func sum(
    raised: StepTotals, needsNorm: Bool, needsFinite: Bool, over communicator: borrowing Communicator
  ) throws(MPIError) -> StepTotals {
    if let node {
      return try node.reduce(raised: raised, needsNorm: needsNorm, needsFinite: needsFinite, over: communicator)
    }
    if let shards {
      if let exchange {
        try exchange.reduceScatter(&slots, over: communicator)
      } else {
        try shards.reduceScatter(&slots, over: communicator)
      }
      return try shards.report(slots, raised: raised, needsNorm: needsNorm, over: communicator)
    }
    if communicator.size > 1 {
      if let buckets {
        try buckets.collect(&slots, isComplete: isComplete)
        isComplete = true
      } else if let exchange {
        try exchange.reduce(&slots, over: communicator)
      } else {
        try communicator.sum(&slots)
      }
    }
    var totals = StepTotals(from: slots, at: count)
    if hasIdleRanks {
      let own = [raised.stop, raised.save, raised.writing].map { $0 ? 1 : 0 } as [Int32]
      let flags = try communicator.allReduce(own, .maximum)
      totals.raise(StepTotals(stop: flags[0] > 0, save: flags[1] > 0, writing: flags[2] > 0))
    }
    return totals
  }

  /// Whether the sum is finite; the same on all ranks that added. Where ranks share memory, after a reduction that was to find out.
  var isFinite: Bool { node?.isFinite ?? shards?.isFinite ?? Elementwise.isFinite(slots, 0..<count) }

  /// The sum of squares of each tensor of the sum; the same bits on all ranks that added. After a reduction that was to find out.
  func entrySums() -> [Double] {
    if let node { return blocks.entrySums { node.blockSums[$0] } }
    if let shards { return blocks.entrySums { shards.blockSums[$0] } }
    return blocks.entrySums { blocks.sum(ofBlock: $0, slots) }
  }

  /// Lets `body` update the parameters that this rank owns, range by range, and brings those of all ranks to all. Collective.
  /// - Returns: whether the sum was finite. Where it was not and ranks share memory, and the reduction was not to find out, the
  ///   parameters are spoilt; elsewhere they are as they were.
  func update(
    over communicator: borrowing Communicator,
    _ body: (inout FloatBuffer, borrowing FloatBuffer, Range<Int>) -> Void
  ) throws(MPIError) -> Bool {
    let start = ContinuousClock.now
    var updating = Duration.zero
    defer { secondsReducing += (ContinuousClock.now - start - updating) / .seconds(1) }
    func update(
      _ parameters: inout FloatBuffer, _ gradient: borrowing FloatBuffer, _ range: Range<Int>
    ) {
      let start = ContinuousClock.now
      body(&parameters, gradient, range)
      updating += ContinuousClock.now - start
    }
    if let node {
      let isFinite = try node.update(&parameters, slots, over: communicator, update)
      isApplied = isFinite && hasFiniteLoss
      return isFinite
    }
    guard isFinite else { return false }
    update(&parameters, slots, owned)
    try shards?.share(&parameters, over: communicator)
    isApplied = hasFiniteLoss
    return true
  }

  /// Lets `body` replace the parameters, with the same values on every rank. Collective.
  func replaceParameters(_ body: (inout FloatBuffer) throws -> Void) rethrows {
    if let node { return try node.replace(&parameters, body) }
    try body(&parameters)
  }
}
