public import Model

extension StepPlan {
  /// What a rank does to add the gradients of a step, beside computing its own.
  public struct Summation: Equatable, Sendable {
    /// Floats of a gradient with the totals of the step.
    public var width = 0
    /// Additions of whole gradients on the rank itself.
    public var ownAdditions = 0
    /// Gradients that a rank of the group brings at most: the rounds of the exchange.
    public var rounds = 0
    /// Floats of the slice that the rank adds for all.
    public var slice = 0
    /// Floats that the rank adds to others of slices.
    public var additions = 0
    /// Parameters that the rank updates.
    public var owned = 0
    /// Where ranks of a node share memory: the sums and the updated parameters that the rank sends to other nodes. Nil where none do.
    public var between: Between?

    /// What the rank sends where gradients go in buckets: pieces to the owners of slices, and sums of its slice to all. Nil elsewhere.
    public var buckets: StepTraffic?

    /// What goes to other nodes.
    public struct Between: Equatable, Sendable {
      public var sums: Traffic
      public var parameters: Traffic
    }
  }

  /// What the rank at `place` adds.
  public func summation(at place: GridPlace) throws(ModelError) -> Summation {
    let slices = try slices(at: place)
    let (ranks, index) = (virtualRanks, place.data.index)
    let tree = SumTree(leaves: ranks.count)
    var summation = Summation(
      width: slices.width, slice: slices.ranges[index].count, owned: slices.owned[index].count)
    if mode == .ordered {
      let steps = tree.localSteps(of: ranks.run(by: index))
      summation.ownAdditions = steps.count { if case .add = $0 { true } else { false } }
    }
    if let plan = try nodePlan(at: place) {
      // The slices of the ranks that it works for and its own, of all gradients of the node; then its own of all nodes.
      let isAlone = plan.map.nodes.count == 1
      let floats = plan.owned.count + plan.served.reduce(0) { $0 + plan.slices.owned[$1].count }
      summation.additions = (plan.pieces.count - 1) * floats
      if !isAlone { summation.additions += (plan.incomingSums.count - 1) * plan.owned.count }
      summation.between = Summation.Between(
        sums: plan.served.reduce(Traffic()) { $0 + plan.sumTraffic(to: $1, wire) },
        parameters: plan.parameterTraffic(wire))
      return summation
    }
    if shape.data > 1, let sliceFloats = bucketSliceFloats {
      summation.buckets = BucketPlan.traffic(
        count: slices.parameters, width: slices.width, sliceFloats: sliceFloats, virtualRanks: ranks, mode: mode,
        precision: wire.precision, rank: index)
    }
    switch mode {
    case .ordered:
      let pieces = OrderedExchange.pieces(ranks).map(\.count)
      summation.rounds = pieces.max() ?? 0
      summation.additions = (pieces.reduce(0, +) - 1) * summation.slice
    case .fast:
      summation.rounds = 1
      summation.additions = (shape.data - 1) * summation.slice
    }
    return summation
  }
}
