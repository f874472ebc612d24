public import Parallel

/// One way to share a training among ranks.
public struct Layout: Equatable, Sendable {
  public let shape: GridShape
  public let shardsOptimizer: Bool
  public let microBatches: Int

  public init(shape: GridShape, shardsOptimizer: Bool = false, microBatches: Int = 1) {
    self.shape = shape
    self.shardsOptimizer = shardsOptimizer
    self.microBatches = microBatches
  }

  /// What `--set` has to say to have this layout, beside what a job says.
  public var overrides: [String] {
    [
      "parallel.pipeline=\(shape.pipeline)", "parallel.tensor=\(shape.tensor)",
      "parallel.shard_optimizer=\(shardsOptimizer)", "parallel.micro_batches=\(microBatches)",
    ]
  }
}
