public import Data
public import Model

/// What a step takes on each rank of a grid, known before there is a grid: memory and messages, as formulas.
public struct StepPlan: Sendable {
  public let model: Model
  public let shape: GridShape
  /// The layers of each stage of the pipeline.
  public let stages: [Range<Int>]
  public let order: SampleOrder
  public let mode: GradientReduction
  public let batchRows: Int
  public let microBatches: MicroBatches
  public let shardsOptimizer: Bool
  /// Gradients go to the other ranks while they are computed.
  public let overlap: Overlap?
  /// The node of each rank of the grid, where ranks of a node share memory; empty where none do.
  public let nodes: [Int]
  /// How sums go from node to node.
  public let wire: Wire

  public init(
    model: Model, shape: GridShape, stages: [Range<Int>], order: SampleOrder, mode: GradientReduction, batchRows: Int,
    microBatches: MicroBatches, shardsOptimizer: Bool = false, overlap: Overlap? = nil, nodes: [Int] = [],
    wire: Wire = Wire()
  ) {
    precondition(stages.count == shape.pipeline, "\(stages.count) stages for a grid of \(shape)")
    self.model = model
    self.shape = shape
    self.stages = stages
    self.order = order
    self.mode = mode
    self.batchRows = batchRows
    self.microBatches = microBatches
    self.shardsOptimizer = shardsOptimizer
    self.overlap = overlap
    self.nodes = nodes
    self.wire = wire
  }

  /// The part of the model at `place`.
  /// - Throws: `ModelError` where a layer cannot be cut so.
  public func stage(at place: GridPlace) throws(ModelError) -> Stage {
    try model.stage(layers: stages[place.pipeline.index], tensor: place.part)
  }

  /// The parameters of its part that the rank at `place` updates.
  public func owned(at place: GridPlace) throws(ModelError) -> Range<Int> {
    try slices(at: place).owned[place.data.index]
  }

  /// The passes through the model in the first step of an epoch, on the ranks that have most.
  public var passes: Int {
    // Where there are fewer virtual ranks than copies of the model, some copies have none.
    (0..<shape.data).map { passes(data: $0).count }.max() ?? 0
  }

  /// The part of a step in which the stages of the pipeline wait for each other.
  public var bubble: Double { OneForwardOneBackward.bubble(stages: shape.pipeline, microBatches: passes) }

  /// Which virtual ranks each copy of the model runs.
  var virtualRanks: VirtualRanks { VirtualRanks(count: order.virtualRanks, ranks: shape.data) }

  /// The rows of each pass of copy `index` of the model in the first step of an epoch.
  public func passes(data index: Int) -> [Int] {
    Summand.all(
      of: virtualRanks.run(by: index), order: order, positions: 0..<min(batchRows, order.rows), mode: mode,
      microBatches: microBatches
    ).flatMap { summand in summand.passes.map { summand.rows(of: $0) } }
  }

  func slices(at place: GridPlace) throws(ModelError) -> GradientSlices {
    let sharesMemory = nodeMap(at: place) != nil
    return GradientSlices(
      try stage(at: place).layout, ranks: shape.data, sharded: shardsOptimizer || sharesMemory)
  }

  /// Floats that a rank sends another at a time where gradients go in buckets; nil where they do not.
  var bucketSliceFloats: Int? { overlap?.sliceFloats ?? (wire.precision == .float32 ? nil : wire.portionFloats) }

  /// Which ranks of the data group at `place` share memory. Where slices go rounded each rank is at least a node of its own.
  public func nodeMap(at place: GridPlace) -> NodeMap? {
    if !nodes.isEmpty, let map = shape.dataNodes(of: place, nodes: nodes) { return map }
    return shardsOptimizer && wire.precision != .float32 && shape.data > 1 ? NodeMap(apart: shape.data) : nil
  }

  /// What the rank at `place` does with the memory that it shares; nil where it shares none.
  func nodePlan(at place: GridPlace) throws(ModelError) -> NodePlan? {
    let layout = try stage(at: place).layout
    // What no machine has is no plan either: its numbers would be too large to add.
    guard layout.count < 1 << 40, let map = nodeMap(at: place) else { return nil }
    return NodePlan(layout, virtualRanks, rank: place.data.index, mode: mode, map: map)
  }
}
