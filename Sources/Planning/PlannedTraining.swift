public import Data
public import Model
public import Optimization
public import Parallel
public import Training

/// What is to be planned: a job on a data set, whatever the layout.
public struct PlannedTraining: Sendable {
  public let model: Model
  public let optimizer: OptimizerSettings
  public let mode: GradientReduction
  public let batchRows: Int
  public let rows: Int
  public let clips: Bool
  /// What the job says of its layout: lists of layers and numbers of micro-batches are kept.
  let split: ModelSplit
  let microBatches: Int
  private let bucketBytes: Int
  private let wire: Wire.Precision
  private let keepsBest: Bool
  private let saves: Bool
  private let validationRows: Int
  private let virtualRanks: Int
  private let shards: Int
  private let order: @Sendable (_ virtualRanks: Int) -> SampleOrder

  /// - Parameter validationRows: of the validation split; 0 without one.
  public init(_ job: TrainingJob, design: ModelDesign, dataset: ShardedDataset, validationRows: Int) {
    self.init(
      job, model: design.model, rows: dataset.rows, validationRows: validationRows, shards: dataset.shards.count
    ) { dataset.order(virtualRanks: $0, seed: job.seed, shuffle: job.shuffle) }
  }

  /// - Parameter order: of the rows for so many virtual ranks.
  public init(
    _ job: TrainingJob, model: Model, rows: Int, validationRows: Int = 0, shards: Int = 1,
    order: @escaping @Sendable (_ virtualRanks: Int) -> SampleOrder
  ) {
    self.model = model
    self.rows = rows
    self.validationRows = validationRows
    self.shards = shards
    self.order = order
    optimizer = job.optimizer
    mode = job.reduction
    batchRows = job.batchRows(of: rows)
    clips = job.clipNorm > 0
    split = job.split
    microBatches = job.microBatches
    bucketBytes = job.bucketBytes
    wire = job.wire
    keepsBest = job.patience > 0
    saves = job.checkpoint.isEnabled
    virtualRanks = job.virtualRanks
  }

  /// What a step of a layout takes with so many ranks on a node; nil where the model cannot be cut so.
  func step(_ layout: Layout, ranksPerNode: Int) -> StepPlan? {
    let shape = layout.shape
    var split = split
    // A list of stages is for one number of them.
    if split.stages.count != shape.pipeline { split.stages = [] }
    (split.pipeline, split.tensor, split.shardsOptimizer) = (shape.pipeline, shape.tensor, layout.shardsOptimizer)
    guard let stages = try? split.stages(of: model) else { return nil }
    let count =
      virtualRanks > 0 ? virtualRanks : VirtualRanks.count(ranks: shape.data, shards: shards, batchRows: batchRows)
    let hasHostPerRank = ranksPerNode == 1 && shape.ranks > 1
    let portion = bucketBytes > 0 ? bucketBytes : Wire.defaultPortionBytes
    return StepPlan(
      model: model, shape: shape, stages: stages, order: order(count), mode: mode, batchRows: batchRows,
      microBatches: MicroBatches(count: layout.microBatches), shardsOptimizer: layout.shardsOptimizer,
      overlap: hasHostPerRank && bucketBytes > 0 && split.isWhole ? Overlap(sliceBytes: bucketBytes) : nil,
      nodes: split.sharesMemory ? (0..<shape.ranks).map { $0 / ranksPerNode } : [],
      wire: Wire(shape.ranks > ranksPerNode ? wire : .float32, portionBytes: portion))
  }

  func memory(_ step: StepPlan, at place: GridPlace) throws -> MemoryPlan {
    let ranks = VirtualRanks(count: step.order.virtualRanks, ranks: step.shape.data)
    let scored = validationRows > 0 ? Evaluator<LocalScorer>.mostRows(of: validationRows, ranks) : 0
    return try MemoryPlan(
      step, at: place, optimizer: optimizer.kind, keepsBest: keepsBest, saves: saves, scoredRows: scored)
  }

  /// Every layout that `ranks` ranks can have, without those that differ in nothing that is done.
  public func layouts(ranks: Int) -> [Layout] {
    var layouts: [Layout] = []
    for pipeline in 1...min(ranks, model.depth) where ranks.isMultiple(of: pipeline) {
      for tensor in 1...ranks / pipeline {
        guard let shape = GridShape(ranks: ranks, pipeline: pipeline, tensor: tensor),
          wire == .float32 || tensor == 1, step(Layout(shape: shape), ranksPerNode: 1) != nil
        else { continue }
        for shards in shape.data > 1 ? [false, true] : [false] {
          for count in microBatchCounts(shape) {
            layouts.append(Layout(shape: shape, shardsOptimizer: shards, microBatches: count))
          }
        }
      }
    }
    return layouts
  }

  /// The job's number, and powers of two as long as they make more passes: up to eight times as many as there are stages.
  private func microBatchCounts(_ shape: GridShape) -> [Int] {
    func passes(_ count: Int) -> Int { step(Layout(shape: shape, microBatches: count), ranksPerNode: 1)?.passes ?? 0 }
    var counts = Set([microBatches])
    var (count, last) = (1, 0)
    while count <= MicroBatches.rowsPerPass {
      let found = passes(count)
      guard found > last else { break }
      counts.insert(count)
      if found >= 8 * shape.pipeline { break }
      last = found
      count *= 2
    }
    return counts.sorted()
  }
}
