/// How the ranks share the model of a job.
public struct ModelSplit: Equatable, Sendable {
  /// Stages that the layers are cut into.
  public var pipeline = 1
  /// Parts that each layer is cut into.
  public var tensor = 1
  /// How many layers each stage has; empty where their work decides.
  public var stages: [Int] = []
  /// Ranks that hold the same parameters share the optimizer's state among them.
  public var shardsOptimizer = false
  /// Ranks of a node that hold the same parameters keep them in memory that they share, where they can.
  public var sharesMemory = true

  /// Whether every rank holds and updates the whole model.
  public var isWhole: Bool { pipeline == 1 && tensor == 1 && !shardsOptimizer }
}
