import Kernels
import MPI

/// What the ranks of different nodes send each other in a step: sums of the slices of the gradient to those that own them, and the
/// updated slices of the parameters back.
///
/// A message of sums holds, for each sum of the sending node, the slice and the step's totals behind it, and then the node's flags.
final class SliceExchange {
  private let wire: Wire
  private let owned: Range<Int>
  /// The messages to the ranks in `NodePlan.served`, and those of all nodes for this rank: that of its own node is put there by itself.
  private var outgoing: FloatBuffer
  private var incoming: FloatBuffer
  /// The parameters of the node, to send from and to receive into.
  private let parameters: FloatBuffer
  private var updated: FloatBuffer
  private let sendingSums: Partition
  private let receivingSums: Partition
  private let sendingParameters: Partition
  private let receivingParameters: Partition
  /// Where numbers go rounded.
  private let packed: PackedSlices?

  init(_ plan: NodePlan, wire: Wire, in window: SharedWindow) {
    let (own, map, slices) = (plan.own, plan.map, plan.slices)
    self.wire = wire
    owned = plan.owned
    outgoing = FloatBuffer(sharing: window.floats(own.outgoing..<own.incoming))
    incoming = FloatBuffer(sharing: window.floats(own.incoming..<own.end))
    let whole = plan.parameters..<plan.parameters + slices.parameters
    parameters = FloatBuffer(sharing: window.floats(whole))
    updated = FloatBuffer(sharing: window.floats(whole))
    let ranks = slices.owned.count
    var toServed = [Int](repeating: 0, count: ranks)
    var fromServed = toServed
    var (toPartners, fromPartners, places) = (toServed, toServed, toServed)
    for rank in plan.served {
      toServed[rank] = plan.message(from: plan.node, to: rank)
      fromServed[rank] = slices.owned[rank].count
    }
    var start = 0
    for node in map.nodes.indices {
      let count = plan.message(from: node, to: plan.rank)
      if node != plan.node {
        let partner = map.partner(of: plan.rank, on: node)
        fromPartners[partner] = count
        places[partner] = start
        toPartners[partner] = plan.owned.count
      }
      start += count
    }
    sendingSums = Partition(counts: toServed)
    receivingSums = Partition(counts: fromPartners, displacements: places)
    sendingParameters = Partition(
      counts: toPartners, displacements: [Int](repeating: plan.owned.lowerBound, count: ranks))
    receivingParameters = Partition(counts: fromServed, displacements: slices.owned.map(\.lowerBound))
    packed = wire.precision == .float32 ? nil : PackedSlices(plan)
  }

  /// Brings the sums of each slice to the rank that owns it. Collective.
  func exchangeSums(over communicator: borrowing Communicator) throws(MPIError) {
    if let packed {
      packed.pack(outgoing, &incoming)
      try packed.exchangeSums(over: communicator, portion: wire.portionFloats)
      packed.unpack(into: &incoming)
    } else {
      try communicator.allToAll(
        outgoing, sendingSums, into: &incoming, receivingSums, portion: wire.portionFloats)
    }
  }

  /// This rank has replaced the parameters, as all ranks have.
  func noteReplaced() { packed?.noteReplaced(parameters, owned) }

  /// Drops what rounding has left out of sums.
  func forget() { packed?.forget() }

  /// This rank updates its slice of the parameters now, between two barriers.
  func beginUpdate() { packed?.beginUpdate(&updated, owned) }

  /// Brings the updated slices to the other nodes. Collective.
  func exchangeParameters(over communicator: borrowing Communicator) throws(MPIError) {
    if let packed {
      try packed.exchange(&updated, owned, over: communicator, portion: wire.portionFloats)
    } else {
      try communicator.allToAll(
        parameters, sendingParameters, into: &updated, receivingParameters, portion: wire.portionFloats)
    }
  }
}
