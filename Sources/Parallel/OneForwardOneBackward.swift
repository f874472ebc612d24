/// What a stage of a pipeline does in a step, in order: forward and backward passes of micro-batches, each in their order.
///
/// A stage begins with as many forward passes as there are stages behind it; from then on every forward pass is followed by a backward
/// pass, so that stage p of P never has more than P - p micro-batches under way ("1F1B": Narayanan et al., PipeDream, SOSP 2019, with
/// the flush of their PipeDream-2BW, ICML 2021).
public struct OneForwardOneBackward: RandomAccessCollection, Equatable, Sendable {
  public enum Work: Equatable, Sendable {
    /// The forward pass of a micro-batch.
    case forward(Int)
    /// The backward pass of a micro-batch.
    case backward(Int)
  }

  public let stage: Int
  public let stages: Int
  public let microBatches: Int

  public init(stage: Int, stages: Int, microBatches: Int) {
    precondition(stage >= 0 && stage < stages && microBatches >= 0, "stage \(stage) of \(stages)")
    self.stage = stage
    self.stages = stages
    self.microBatches = microBatches
  }

  /// The most micro-batches that are under way: forward pass done, backward pass not.
  public var depth: Int { Swift.min(stages - stage, microBatches) }

  public var startIndex: Int { 0 }
  public var endIndex: Int { 2 * microBatches }

  public subscript(index: Int) -> Work {
    precondition(index >= 0 && index < endIndex, "work \(index) of \(endIndex)")
    // Forward passes before the first pair, pairs, and the backward passes that are left.
    let ahead = Swift.max(depth - 1, 0)
    if index < ahead { return .forward(index) }
    if index >= endIndex - ahead { return .backward(index - microBatches) }
    let pair = (index - ahead) / 2
    return (index - ahead).isMultiple(of: 2) ? .forward(ahead + pair) : .backward(pair)
  }

  /// The part of a step in which a stage has nothing to do, where all stages take the same time: (P - 1) / (m + P - 1).
  public static func bubble(stages: Int, microBatches: Int) -> Double {
    Double(stages - 1) / Double(microBatches + stages - 1)
  }
}
