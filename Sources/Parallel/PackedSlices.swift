import Kernels
import MPI

/// The messages of a `SliceExchange` that goes rounded.
///
/// Sums of a node are rounded before they are added to those of others, and what rounding leaves out is added to the next ones. Of the
/// parameters their changes go: a rank keeps its slice as its updates have made it, and sends what the parameters that all
/// nodes have in common are behind, rounded; so they follow, and are the same bits everywhere.
final class PackedSlices {
  /// What goes to ranks of other nodes, the message of this rank's own node, and what comes from other nodes.
  private let outgoing: PackedRuns
  private let own: PackedRuns
  private let incoming: PackedRuns
  private let sendingSums: Partition
  private let receivingSums: Partition
  private let sendingChanges: Partition
  private let receivingChanges: Partition
  /// The slices that the ranks served own, by rank, as their changes are received.
  private let served: [Range<Int>]
  private var sent: FloatBuffer
  private var kept: FloatBuffer
  private var received: FloatBuffer
  /// What was left out of messages to others and of that of this rank's own node.
  private var residual: FloatBuffer
  private var ownResidual: FloatBuffer
  /// This rank's slice of the parameters as its updates have made it; during an update the slice that all have in common.
  private var slice: FloatBuffer
  private var change: FloatBuffer
  private var changes: FloatBuffer

  init(_ plan: NodePlan) {
    let (map, owned) = (plan.map, plan.slices.owned)
    func append(_ slice: Int, from node: Int, at start: inout Int, to runs: inout PackedRuns) {
      for _ in 0..<plan.sums[node] {
        runs.append(at: start, rounded: slice, exact: StepTotals.width)
        start += slice + StepTotals.width
      }
      runs.append(at: start, rounded: 0, exact: StepTotals.width)
      start += StepTotals.width
    }
    let none = [Int](repeating: 0, count: owned.count)
    var (outgoing, own, incoming) = (PackedRuns(), PackedRuns(), PackedRuns())
    var (toServed, fromServed, toPartners, fromPartners, places) = (none, none, none, none, none)
    var start = 0
    for rank in plan.served {
      let before = outgoing.end
      append(owned[rank].count, from: plan.node, at: &start, to: &outgoing)
      toServed[rank] = outgoing.end - before
      fromServed[rank] = BFloat16.floats(owned[rank].count)
    }
    start = 0
    for node in map.nodes.indices {
      guard node != plan.node else {
        append(plan.owned.count, from: node, at: &start, to: &own)
        continue
      }
      let partner = map.partner(of: plan.rank, on: node)
      places[partner] = incoming.end
      append(plan.owned.count, from: node, at: &start, to: &incoming)
      fromPartners[partner] = incoming.end - places[partner]
      toPartners[partner] = BFloat16.floats(plan.owned.count)
    }
    (self.outgoing, self.own, self.incoming) = (outgoing, own, incoming)
    sendingSums = Partition(counts: toServed)
    receivingSums = Partition(counts: fromPartners, displacements: places)
    sendingChanges = Partition(counts: toPartners, displacements: none)
    receivingChanges = Partition(counts: fromServed)
    served = plan.served.map { owned[$0] }
    sent = FloatBuffer(count: outgoing.end)
    kept = FloatBuffer(count: own.end)
    received = FloatBuffer(count: incoming.end)
    residual = FloatBuffer(count: plan.own.incoming - plan.own.outgoing)
    ownResidual = FloatBuffer(count: plan.own.end - plan.own.incoming)
    slice = FloatBuffer(count: plan.owned.count)
    change = FloatBuffer(count: BFloat16.floats(plan.owned.count))
    changes = FloatBuffer(count: receivingChanges.end)
  }

  /// The floats that a rank holds for it.
  static func floats(_ plan: NodePlan) -> Int {
    let messages = plan.own.end - plan.own.outgoing
    let served = plan.served.reduce(0) { $0 + plan.slices.owned[$1].count }
    return messages + messages / 2 + plan.owned.count + (plan.owned.count + served) / 2
  }

  // MARK: Sums

  /// Packs the messages to others, and rounds that of this rank's own node among those that come in.
  func pack(_ outgoing: borrowing FloatBuffer, _ incoming: inout FloatBuffer) {
    self.outgoing.pack(outgoing, carrying: &residual, into: &sent)
    own.pack(incoming, carrying: &ownResidual, into: &kept)
    own.unpack(kept, into: &incoming)
  }

  /// Collective.
  func exchangeSums(over communicator: borrowing Communicator, portion: Int) throws(MPIError) {
    try communicator.allToAll(sent, sendingSums, into: &received, receivingSums, portion: portion)
  }

  func unpack(into incoming: inout FloatBuffer) { self.incoming.unpack(received, into: &incoming) }

  /// Drops what rounding has left out.
  func forget() {
    residual.fill(with: 0)
    ownResidual.fill(with: 0)
  }

  // MARK: Parameters

  /// The parameters, which have been replaced, are what updates begin with.
  func noteReplaced(_ parameters: borrowing FloatBuffer, _ owned: Range<Int>) {
    slice.copy(from: parameters, range: owned)
  }

  /// Puts the slice into the parameters as this rank's updates have made it.
  func beginUpdate(_ parameters: inout FloatBuffer, _ owned: Range<Int>) {
    parameters.exchange(owned, with: &slice, at: 0)
  }

  /// Sends the change of the slice to the other nodes, and makes the changes that they send. Collective.
  func exchange(
    _ parameters: inout FloatBuffer, _ owned: Range<Int>, over communicator: borrowing Communicator, portion: Int
  ) throws(MPIError) {
    BFloat16.packDifference(&parameters, owned, from: &slice, at: 0, into: &change, at: 0)
    try communicator.allToAll(change, sendingChanges, into: &changes, receivingChanges, portion: portion)
    var place = 0
    for range in served {
      BFloat16.add(changes, at: place, count: range.count, to: &parameters, at: range.lowerBound)
      place += BFloat16.floats(range.count)
    }
  }
}
