public import Optimization

/// Where a training stands, beside its parameters and the optimizer's moments: what `state.json` of a checkpoint holds.
public struct TrainingState: Equatable, Sendable {
  /// Updates done.
  public var step = 0
  /// Rows seen.
  public var samples = 0
  /// What defines the course of the training together with the job; a resumed run must have the same.
  public var virtualRanks: Int
  public var rows: Int
  public var plateau = PlateauState()
  public var earlyStopping = EarlyStopping()

  public init(virtualRanks: Int, rows: Int) {
    self.virtualRanks = virtualRanks
    self.rows = rows
  }
}

/// The best validation so far, and for how many validations there was no better one.
public struct EarlyStopping: Equatable, Sendable {
  public var bestLoss: Double?
  public var bestStep = 0
  public var withoutImprovement = 0

  /// Takes note of a validation; returns whether it is the best so far.
  mutating func observe(loss: Double, step: Int) -> Bool {
    if let bestLoss, !(loss < bestLoss) {
      withoutImprovement += 1
      return false
    }
    bestLoss = loss
    bestStep = step
    withoutImprovement = 0
    return true
  }
}
