import Kernels
import MPI

/// The reduction of ranks that share memory: each adds its slice of all gradients of the node, and where there are other nodes of these
/// as well, and updates it in the one copy of the parameters that the node has.
///
/// The barriers of a step: after the gradients, before anyone reads those of others; and after the update, before anyone uses the
/// parameters or writes its next gradient. Between them a rank writes what no other reads: its slice of the parameters, and the sum of
/// that slice in its own gradient's place.
final class NodeReduction {
  private let plan: NodePlan
  private let window: SharedWindow
  private var memory: FloatBuffer
  private let exchange: SliceExchange?
  /// The messages with what the node's gradients add up to, that to this rank last; empty where there is one node.
  private let outlets: [NodePlan.Outlet]
  private let group: GroupReport
  private let runs: [Range<Int>]
  /// The blocks of this rank's slice: as elements of the gradient, and of what comes in.
  private let blocks: [Range<Int>]
  private let incomingBlocks: [Range<Int>]
  /// Others may still read what this rank has written: the last step has not ended with an update.
  private var isOpen = false
  /// The slice is added up, and all ranks know what is in it.
  private var isReported = false

  /// Collective over `communicator`, the data group.
  init(_ plan: NodePlan, wire: Wire, over communicator: borrowing Communicator) throws(MPIError) {
    guard let runs = plan.slices.runs, let node = try communicator.split(color: plan.node, key: communicator.rank)
    else { preconditionFailure("a plan for \(plan.map.nodes.count) nodes without slices") }
    self.plan = plan
    self.runs = runs
    blocks = plan.owned.blocks
    incomingBlocks = (0..<plan.owned.count).blocks
    window = try SharedWindow(count: plan.floats, node: node)
    memory = FloatBuffer(sharing: window.floats(0..<plan.floats))
    let isAlone = plan.map.nodes.count == 1
    exchange = isAlone ? nil : SliceExchange(plan, wire: wire, in: window)
    outlets = isAlone ? [] : plan.outlets
    group = GroupReport(sumCounts: runs.map(\.count), rank: plan.rank)
  }

  /// The parameters of the node.
  var parameters: SharedFloats { window.floats(plan.parameters..<plan.parameters + plan.slices.parameters) }

  /// This rank's gradients.
  var slots: SharedFloats { window.floats(plan.own.slots..<plan.own.slots + plan.slotFloats) }

  /// Returns when this rank may write its gradients. Collective.
  func begin() {
    if isOpen { window.barrier() }
    isOpen = false
  }

  /// Lets `body` replace the parameters, with the same values on every rank. Collective.
  func replace(_ parameters: inout FloatBuffer, _ body: (inout FloatBuffer) throws -> Void) rethrows {
    window.barrier()
    try body(&parameters)
    window.barrier()
    exchange?.noteReplaced()
  }

  /// Drops what rounding has left out of messages.
  func forget() { exchange?.forget() }

  /// Tells all ranks the totals of the step; also what is in the sum where that is asked for, or where there are other nodes. Collective.
  func reduce(
    raised: StepTotals, needsNorm: Bool, needsFinite: Bool, over communicator: borrowing Communicator
  ) throws(MPIError) -> StepTotals {
    var flags = StepTotals(from: memory, at: plan.own.slots + plan.slices.parameters).flags
    flags.raise(raised)
    flags.store(into: &memory, at: plan.control(of: plan.rank))
    // All ranks have read the parameters that this one writes next.
    let updated = plan.parameters + plan.owned.lowerBound
    memory.prefetch(updated..<updated + plan.owned.count, writing: true)
    window.barrier()
    isOpen = true
    isReported = false
    for member in plan.members { flags.raise(StepTotals(from: memory, at: plan.control(of: member))) }
    if let exchange {
      for outlet in outlets { fill(outlet, flags) }
      try exchange.exchangeSums(over: communicator)
      addNodes()
      for place in plan.incomingFlags { flags.raise(StepTotals(from: memory, at: place)) }
    } else {
      plan.nodeSum.add(
        plan.slices.totals, of: plan.pieces, scratch: plan.own.scratch, to: plan.totalsTarget, within: &memory)
    }
    var totals = StepTotals(from: memory, at: plan.own.totals)
    totals.raise(flags)
    if needsNorm || needsFinite || exchange != nil { try report(needsNorm: needsNorm, over: communicator) }
    return totals
  }

  /// Writes a message.
  private func fill(_ outlet: NodePlan.Outlet, _ flags: StepTotals) {
    for block in outlet.blocks {
      plan.nodeSum.add(block, of: plan.pieces, scratch: plan.own.scratch, to: outlet.sliceTargets, within: &memory)
    }
    plan.nodeSum.add(
      plan.slices.totals, of: plan.pieces, scratch: plan.own.scratch, to: outlet.totalsTargets, within: &memory)
    flags.store(into: &memory, at: outlet.flags)
  }

  /// Adds the sums of all nodes.
  private func addNodes() {
    let count = plan.owned.count
    for block in incomingBlocks {
      plan.totalSum.add(
        block, of: plan.incomingSums, scratch: plan.own.scratch, to: plan.sliceTarget, within: &memory)
    }
    plan.totalSum.add(
      count..<count + StepTotals.width, of: plan.incomingSums, scratch: plan.own.scratch, to: plan.incomingTotalsTarget,
      within: &memory)
  }

  /// Adds a block of this rank's slice into its place in this rank's own gradient.
  private func addOwn(_ block: Range<Int>) {
    plan.nodeSum.add(block, of: plan.pieces, scratch: plan.own.scratch, to: plan.ownTarget, within: &memory)
  }

  /// Whether a block of the sum is finite.
  private func isFinite(_ block: Range<Int>) -> Bool {
    Elementwise.isFinite(memory, plan.own.slots + block.lowerBound..<plan.own.slots + block.upperBound)
  }

  /// Tells all ranks whether the sum is finite, and with `needsNorm` the sums of squares of its blocks. Collective.
  private func report(needsNorm: Bool, over communicator: borrowing Communicator) throws(MPIError) {
    var isFinite = true
    for block in blocks {
      if exchange == nil { addOwn(block) }
      if !self.isFinite(block) { isFinite = false }
    }
    let sums = needsNorm ? runs[plan.rank].map { plan.slices.blocks.sum(ofBlock: $0, memory, at: plan.own.slots) } : nil
    try group.exchange(StepTotals(), isFinite: isFinite, sums: sums, over: communicator)
    isReported = true
  }

  /// Whether the sum is finite, and the sums of squares of its blocks; after a reduction that was to find out.
  var isFinite: Bool {
    precondition(isReported, "nobody has looked at the sum")
    return group.isFinite
  }
  var blockSums: [Double] { group.sums }

  /// Lets `body` update this rank's slice, block by block, and returns when all ranks have. Collective.
  /// - Parameter slots: this rank's gradients, where the sum is in the place of the first.
  /// - Returns: whether the sum was finite. Where all ranks knew before, nothing is updated otherwise.
  func update(
    _ parameters: inout FloatBuffer, _ slots: borrowing FloatBuffer, over communicator: borrowing Communicator,
    _ body: (inout FloatBuffer, borrowing FloatBuffer, Range<Int>) -> Void
  ) throws(MPIError) -> Bool {
    guard !isReported else {
      guard group.isFinite else { return false }
      exchange?.beginUpdate()
      for block in blocks { body(&parameters, slots, block) }
      try exchange?.exchangeParameters(over: communicator)
      endStep()
      return true
    }
    // Sum and update while the block is in the cache. Whether all of it is finite is known afterwards.
    var flags = StepTotals()
    for block in blocks {
      addOwn(block)
      if !isFinite(block) { flags.failed = true }
      body(&parameters, slots, block)
    }
    flags.store(into: &memory, at: plan.control(of: plan.rank))
    endStep()
    return plan.members.allSatisfy { !StepTotals(from: memory, at: plan.control(of: $0)).failed }
  }

  private func endStep() {
    window.barrier()
    isOpen = false
  }
}
