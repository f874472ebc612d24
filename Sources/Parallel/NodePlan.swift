import Model

/// What a rank does with the memory that it shares, and where everything lies in it: known before there is any.
///
/// Each rank owns a slice of the parameters: it adds this slice of all gradients and updates it. For the slices of ranks on other nodes a
/// rank of this node adds what the node has (`NodeMap.partner`), sends the sums to the owner, and receives the updated slice.
struct NodePlan {
  /// Where a rank's own parts of the window are.
  struct Region {
    /// Its gradients, each with the totals behind it.
    let slots: Int
    /// Room of `PieceSum`, and the totals of the step.
    let scratch: Int
    let totals: Int
    /// The sums that go to other nodes, and those of all nodes for this rank's slice.
    let outgoing: Int
    let incoming: Int
    let end: Int
  }

  /// A message with what the gradients of the node add up to: for each sum the slice and the totals behind it, then the flags.
  struct Outlet {
    /// The elements of the gradient that it holds, in blocks.
    let blocks: [Range<Int>]
    /// Where element 0 of each sum would be: for the elements of the slice, and for the totals.
    let sliceTargets: [Int]
    let totalsTargets: [Int]
    let flags: Int
  }

  /// Floats of a rank's flags: a cache line.
  private static let controlFloats = 16

  let slices: GradientSlices
  let map: NodeMap
  let rank: Int
  /// The number of this rank's node.
  let node: Int
  /// The ranks of the node.
  let members: Range<Int>
  /// From the pieces of the node's ranks to the sums of the node, and from those of all nodes to the sum.
  let nodeSum: PieceSum
  let totalSum: PieceSum
  /// The sums that each node ends with.
  let sums: [Int]
  /// The ranks on other nodes that this rank works for.
  let served: [Int]
  /// Where each piece of the node begins.
  let pieces: [Int]
  /// Where the sums, and the flags, of each node begin in what comes in.
  let incomingSums: [Int]
  let incomingFlags: [Int]
  /// Floats of this rank's gradients.
  let slotFloats: Int
  let own: Region
  /// Where the parameters are.
  let parameters: Int
  /// Floats of the window.
  let floats: Int
  /// Where element 0 of a sum is to be, so that its slice stands in its place in this rank's gradient, or the totals in theirs: of
  /// gradients, and of what comes in, whose elements begin with the slice.
  let ownTarget: [Int]
  let totalsTarget: [Int]
  let sliceTarget: [Int]
  let incomingTotalsTarget: [Int]

  /// - Parameters:
  ///   - layout: of the parameters.
  ///   - ranks: of the data group, with their virtual ranks.
  init(_ layout: ParameterLayout, _ ranks: VirtualRanks, rank: Int, mode: GradientReduction, map: NodeMap) {
    let slices = GradientSlices(layout, ranks: ranks.ranks, sharded: true)
    // Under `fast` a rank's gradient is one piece, and the ranks are the leaves.
    let tree = SumTree(leaves: mode == .ordered ? ranks.count : ranks.ranks)
    func leaves(_ rank: Int) -> Range<Int> { mode == .ordered ? ranks.run(by: rank) : rank..<rank + 1 }
    let nodeSums = map.nodes.map { members in
      tree.pieces(of: leaves(members.lowerBound).lowerBound..<leaves(members.upperBound - 1).upperBound)
    }
    let sums = nodeSums.map(\.count)
    let node = map.node(of: rank)
    let members = map.nodes[node]
    let memberPieces = members.map { tree.pieces(of: leaves($0)) }
    nodeSum = PieceSum(tree.steps(adding: memberPieces.flatMap { $0 }))
    totalSum = PieceSum(tree.steps(adding: nodeSums.flatMap { $0 }))
    self.slices = slices
    self.map = map
    self.rank = rank
    self.node = node
    self.members = members
    self.sums = sums
    served = Self.served(by: rank, map)

    parameters = Self.rounded(members.count * Self.controlFloats)
    var end = parameters + Self.rounded(layout.count)
    let levels = max(nodeSum.levels, totalSum.levels)
    let isAlone = map.nodes.count == 1
    let regions = members.map { member in
      let slots = end
      let scratch = slots + Self.rounded(GradientSum.slots(ranks, rank: member, mode) * slices.width)
      let totals = scratch + levels * PieceSum.blockFloats
      let outgoing = totals + 16
      let sent = Self.served(by: member, map).map {
        Self.message(sums: sums[node], slice: slices.owned[$0].count)
      }
      let incoming = outgoing + Self.rounded(sent.reduce(0, +))
      let received = sums.map { Self.message(sums: $0, slice: slices.owned[member].count) }
      end = incoming + Self.rounded(isAlone ? 0 : received.reduce(0, +))
      return Region(
        slots: slots, scratch: scratch, totals: totals, outgoing: outgoing, incoming: incoming, end: end)
    }
    own = regions[rank - members.lowerBound]
    pieces = zip(regions, memberPieces).flatMap { region, pieces in
      pieces.indices.map { region.slots + $0 * slices.width }
    }
    floats = end
    slotFloats = GradientSum.slots(ranks, rank: rank, mode) * slices.width
    var (incomingSums, incomingFlags) = ([Int](), [Int]())
    if !isAlone {
      var start = own.incoming
      for count in sums {
        for _ in 0..<count {
          incomingSums.append(start)
          start += slices.owned[rank].count + StepTotals.width
        }
        incomingFlags.append(start)
        start += StepTotals.width
      }
    }
    self.incomingSums = incomingSums
    self.incomingFlags = incomingFlags
    ownTarget = [own.slots]
    sliceTarget = [own.slots + slices.owned[rank].lowerBound]
    totalsTarget = [own.totals - slices.parameters]
    incomingTotalsTarget = [own.totals - slices.owned[rank].count]
  }

  /// The messages to those served and to this rank itself.
  var outlets: [Outlet] {
    var start = own.outgoing
    var outlets: [Outlet] = []
    for rank in served {
      outlets.append(outlet(to: rank, at: start))
      start += message(from: node, to: rank)
    }
    let before = sums[..<node].indices.reduce(0) { $0 + message(from: $1, to: rank) }
    return outlets + [outlet(to: rank, at: own.incoming + before)]
  }

  private func outlet(to rank: Int, at start: Int) -> Outlet {
    let slice = slices.owned[rank]
    let starts = (0..<sums[node]).map { start + $0 * (slice.count + StepTotals.width) }
    return Outlet(
      blocks: slice.blocks, sliceTargets: starts.map { $0 - slice.lowerBound },
      totalsTargets: starts.map { $0 + slice.count - slices.parameters },
      flags: start + message(from: node, to: rank) - StepTotals.width)
  }

  /// The parameters that this rank updates.
  var owned: Range<Int> { slices.owned[rank] }

  /// Floats of the parameters that count as this rank's, and of the window those that are its own.
  var parameterShare: Int { rank == members.lowerBound ? slices.parameters : 0 }
  var ownFloats: Int { own.end - own.slots + Self.controlFloats }

  /// Where a rank of the node puts its flags.
  func control(of member: Int) -> Int { (member - members.lowerBound) * Self.controlFloats }

  /// Floats of a message with the sums of the slice of a rank: each with the totals behind it, and the flags of the node.
  private static func message(sums: Int, slice: Int) -> Int {
    sums * (slice + StepTotals.width) + StepTotals.width
  }

  /// Floats of the message from `node` to `rank`.
  func message(from node: Int, to rank: Int) -> Int {
    Self.message(sums: sums[node], slice: slices.owned[rank].count)
  }

  /// What goes to `other`, which is served: sums.
  func sumTraffic(to other: Int, _ wire: Wire) -> Traffic {
    let floats =
      wire.precision == .float32
      ? message(from: node, to: other)
      : sums[node] * PackedRuns.packedCount(rounded: slices.owned[other].count, exact: StepTotals.width)
        + StepTotals.width
    return Traffic(messages: wire.messages(floats), bytes: 4 * floats)
  }

  /// What goes to the other nodes: this rank's slice as it is updated.
  func parameterTraffic(_ wire: Wire) -> Traffic {
    let floats = wire.precision == .float32 ? owned.count : PackedRuns.packedCount(rounded: owned.count, exact: 0)
    let others = map.nodes.count - 1
    return Traffic(messages: others * wire.messages(floats), bytes: 4 * others * floats)
  }

  private static func served(by rank: Int, _ map: NodeMap) -> [Int] {
    let home = map.node(of: rank)
    return map.nodes.enumerated().flatMap { node, ranks in
      node == home ? [] : ranks.filter { map.partner(of: $0, on: home) == rank }
    }
  }

  /// Nobody shares a cache line with another.
  private static func rounded(_ floats: Int) -> Int { (floats + 15) / 16 * 16 }
}
