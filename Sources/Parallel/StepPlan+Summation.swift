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
    /// Additions of slices.
    public var sliceAdditions = 0
    /// Parameters that the rank updates.
    public var owned = 0
  }

  /// What the rank at `place` adds.
  public func summation(at place: GridPlace) throws(ModelError) -> Summation {
    let slices = try slices(at: place)
    let (ranks, index) = (virtualRanks, place.data.index)
    let tree = SumTree(leaves: ranks.count)
    var summation = Summation(
      width: slices.width, slice: slices.ranges[index].count, owned: slices.owned[index].count)
    switch mode {
    case .ordered:
      let run = ranks.run(by: index)
      summation.ownAdditions = tree.localSteps(of: run).count { if case .add = $0 { true } else { false } }
      let pieces = OrderedExchange.pieces(ranks).map(\.count)
      summation.rounds = pieces.max() ?? 0
      summation.sliceAdditions = pieces.reduce(0, +) - 1
    case .fast:
      summation.rounds = 1
      summation.sliceAdditions = shape.data - 1
    }
    return summation
  }
}
