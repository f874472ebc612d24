public import Kernels
public import Parallel

/// What happens around the steps of a training: progress and metrics, validation, checkpoints.
///
/// The methods that are marked as collective are called by all ranks.
public protocol TrainingCompanions: AnyObject {
  /// The first step follows.
  func begin(_ state: TrainingState)
  /// What this rank wants all ranks to know.
  func flags(after state: TrainingState) -> StepTotals
  /// A step is done.
  func note(_ step: TrainingPlan.Step, _ totals: StepTotals, learningRate: Double, isLast: Bool)
  /// A validation is done.
  func note(_ metrics: Metrics, _ state: TrainingState, epoch: Int)
  /// The metrics of the validation split; nil where there is none. Collective.
  func validate(_ parameters: borrowing FloatBuffer) throws -> Metrics?
  /// Whether all ranks should save now.
  func isCheckpointDue(_ totals: StepTotals, _ state: TrainingState) -> Bool
  /// Writes a checkpoint. Collective.
  func save<Strategy: ParallelStrategy>(_ trainer: Trainer<Strategy>) throws
}
