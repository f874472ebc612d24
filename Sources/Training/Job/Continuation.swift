import Failures
package import Online

/// What a job says of the saved model that it goes on from.
public struct Continuation: Equatable, Sendable {
  /// A model file or the directory of a run.
  public var model: String
  /// Go on with the optimizer's state of the run's newest checkpoint as well.
  public var takesOptimizer: Bool
  /// How often the rows that are kept beside the model come in an epoch; nil: once, where there are any.
  public var replayTimes: Int?
  /// A data set to compare the models on; nil takes the replay sample.
  public var oldData: String?
  public var oldSplit: String?
  /// How much worse the model may get on old rows; nil accepts any.
  public var tolerance: Double?
  /// Weight of elastic weight consolidation; 0 for none.
  public var elastic: Double
}

/// What a job says of the sample of its rows that it keeps for later trainings.
public struct ReplayRequest: Equatable, Sendable {
  public enum Kind: String, CaseIterable, Sendable {
    /// Every row with the same chance.
    case uniform
    /// As many rows of each class as of the others, where there are as many.
    case balanced = "class"
  }

  public var rows: Int
  public var kind: Kind

  /// An empty sample of this kind.
  package func reservoir(seed: UInt64) throws -> Reservoir {
    do {
      return try Reservoir(kind == .balanced ? .stratified : .uniform, capacity: rows, seed: seed)
    } catch {
      throw Failure(.invalidJob, "replay.rows: \(error)")
    }
  }
}
