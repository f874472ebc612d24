public import Optimization

/// Where a training stands, beside its parameters and the optimizer's moments: what `state.json` of a checkpoint holds.
public struct TrainingState: Equatable, Sendable {
  /// Updates done.
  public var step = 0
  /// Rows seen.
  public var samples = 0
  /// Rows left out because they held numbers that are not finite, once an epoch.
  public var skippedRows = 0
  /// Steps that were not applied because loss or gradient were not finite, or all their rows were left out.
  public var skippedSteps = 0
  /// Steps of the optimizer that came before this training, in that of the model it goes on from.
  public var earlierSteps = 0
  /// What says which rows come next.
  public let course: TrainingCourse
  public var plateau = PlateauState()
  public var earlyStopping = EarlyStopping()

  /// Steps that the optimizer has made.
  var optimizerSteps: Int { earlierSteps + step - skippedSteps }

  public init(_ course: TrainingCourse) {
    self.course = course
  }
}

/// What says which rows form which step. A resumed run has the same, or rows would be lost and others doubled.
public struct TrainingCourse: Equatable, Sendable {
  public var rows: Int
  public var virtualRanks: Int
  public var batchRows: Int
  public var seed: UInt64
  public var shuffle: Bool

  public init(rows: Int, virtualRanks: Int, batchRows: Int, seed: UInt64, shuffle: Bool) {
    self.rows = rows
    self.virtualRanks = virtualRanks
    self.batchRows = batchRows
    self.seed = seed
    self.shuffle = shuffle
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
