/// What a training step is expected to take under one layout.
public struct LayoutPrediction: Equatable, Sendable {
  public let layout: Layout
  /// Seconds of a step; those of computing, waiting and communication, each the mean over the ranks, add up to them.
  public let step: Double
  public let computing: Double
  /// For other ranks: those of other stages, and those with more to do.
  public let waiting: Double
  public let communication: Double
  /// The most bytes of a rank, and of the ranks of a node together.
  public let rankMemory: Int
  public let nodeMemory: Int
  /// Whether each node has so many bytes.
  public let fits: Bool
  /// The time of a step on one rank, divided by that of all ranks' steps together.
  public let efficiency: Double
  public let samplesPerSecond: Double
}
