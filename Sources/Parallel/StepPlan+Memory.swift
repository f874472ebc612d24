public import Model

extension StepPlan {
  /// Floats that a rank holds beside parameters and the optimizer's state; capped where there is no such number.
  public struct Memory: Equatable, Sendable {
    /// Gradients with the step's totals, and pieces of other ranks' gradients.
    public var gradients = 0
    /// What forward passes leave for backward passes, of all micro-batches under way.
    public var activations = 0
    /// Rows on their way between ranks, and targets.
    public var buffers = 0
    /// Of the parameters those that this rank holds for its node; all where it shares none.
    public var parameters = 0
    /// What other ranks of the node hold of the memory that all of them see.
    public var others = 0
  }

  /// What the rank at `place` holds.
  public func memory(at place: GridPlace) throws(ModelError) -> Memory {
    let stage = try stage(at: place)
    let ranks = virtualRanks
    let index = place.data.index
    let rows = max(
      1,
      Summand.mostRows(
        of: ranks.run(by: index), order: order, batchRows: batchRows, mode: mode, microBatches: microBatches))
    let slices = try slices(at: place)
    var memory = Memory(parameters: stage.layout.count)
    let slots = GradientSum.slots(ranks, rank: index, mode)
    memory.gradients = Self.product(slices.width, slots)
    if let plan = try nodePlan(at: place) {
      memory.parameters = plan.parameterShare
      memory.gradients = plan.ownFloats
      if wire.precision != .float32, plan.map.nodes.count > 1 { memory.gradients += PackedSlices.floats(plan) }
      memory.others = plan.floats - plan.ownFloats - plan.parameterShare
    } else if shape.data > 1, bucketSliceFloats != nil {
      // Buckets: the pieces of this rank and the sum, and the pieces of its slice.
      let pieces = BucketPlan.pieces(ranks, mode)
      var own = Self.product(slices.width, pieces[index] + 1)
      var received = Self.product(slices.width / shape.data + 1, pieces.reduce(0, +))
      if wire.precision != .float32 {
        // All of that packed, and what rounding leaves out of what this rank sends.
        own = Self.sum(Self.product(own, 2), own / 2)
        received = Self.sum(received, received / 2)
      }
      memory.gradients = Self.sum(memory.gradients, Self.sum(own, received))
    } else if shape.data > 1, mode == .ordered {
      let pieces = OrderedExchange.pieces(ranks).reduce(0) { $0 + $1.count }
      memory.gradients = Self.sum(memory.gradients, Self.product(pieces, slices.ranges[index].count))
    } else if slices.runs != nil {
      memory.gradients = Self.sum(memory.gradients, slices.ranges[index].count)
    }
    let workspace = Workspace.floats(stage, rows: rows)
    // One rank alone, or one of several that each hold the model, works on the rows where they were read.
    guard shape.modelRanks > 1 else {
      memory.activations = workspace
      return memory
    }
    memory.activations = Self.product(workspace, StageRunner.depth(place))
    let parcels = StageRunner.parcels(place)
    let columns =
      (parcels.inputs + parcels.backward) * stage.inputs + 2 * parcels.forward * stage.outputs
      + (stage.isLast ? model.targetsPerRow : 0)
    let transfers = stage.transfers.forward + stage.transfers.loss + stage.transfers.backward
    memory.buffers = Self.sum(
      Self.product(columns, rows), TensorExchange.floats(transfers, rows: rows, place: place.part))
    return memory
  }

  /// Floats that a scorer of `rows` rows at `place` holds.
  public func scorerFloats(at place: GridPlace, rows: Int) throws(ModelError) -> Int {
    let stage = try stage(at: place)
    var floats = Workspace.floats(stage, rows: rows)
    if !stage.isFirst || stage.tensor.count > 1 { floats = Self.sum(floats, Self.product(rows, stage.inputs)) }
    if stage.isLast, stage.tensor.count > 1 {
      floats = Self.sum(floats, Workspace.floats(scoresOf: model, rows: rows))
    }
    return Self.sum(
      floats,
      TensorExchange.floats(stage.transfers.forward + stage.outputTransfers, rows: rows, place: place.part))
  }

  // A plan that is refused must not trap.
  private static let most = Int.max / 64

  private static func product(_ one: Int, _ other: Int) -> Int {
    let (product, isTooLarge) = one.multipliedReportingOverflow(by: other)
    return isTooLarge ? most : min(product, most)
  }

  private static func sum(_ one: Int, _ other: Int) -> Int { min(min(one, most) + min(other, most), most) }
}
