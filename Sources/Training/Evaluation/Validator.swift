public import Kernels
public import MPI
public import Parallel

/// Judges the model of a training on its validation split.
public final class Validator<RowScorer: Scorer> {
  private let evaluator: Evaluator<RowScorer>
  private let world: Communicator

  /// Collective.
  public init(_ evaluator: Evaluator<RowScorer>, world: borrowing Communicator) throws {
    self.evaluator = evaluator
    self.world = try world.duplicate()
  }

  /// The metrics of the whole split. Collective; the same on every rank.
  public func evaluate(_ parameters: borrowing FloatBuffer) throws -> Metrics {
    try evaluator.evaluate(parameters, world: world)
  }
}
