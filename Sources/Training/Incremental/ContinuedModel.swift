import Data
import Failures
import MPI
import Optimization

/// A saved model that a training goes on from, grown for the training's data, and all rows as the grown model's.
struct ContinuedModel: Sendable {
  let earlier: EarlierModel
  let grown: GrownModel
  let rows: ContinuedRows
  /// What happens to the features between the file and the model.
  let transform: FeatureTransform

  /// Nil for a job that does not go on from a model. Collective: every rank gets the same, or throws the same failure.
  /// - Parameters:
  ///   - data: the new rows.
  ///   - validation: those that the training is judged on as it goes.
  init?(
    _ job: TrainingJob, data: OpenedDataset, validation: OpenedDataset?, world: borrowing Communicator
  ) throws {
    guard let wanted = job.from else { return nil }
    let earlier = try EarlierModel(wanted, optimizer: job.optimizer.kind.rawValue, world: world)
    let grown = try Agreement.alike { try GrownModel(earlier.description, job: job, data: data) }
    rows = try ContinuedRows(
      job, wanted, grown, data: data, validation: validation, sample: earlier.sample, world: world)
    transform = FeatureTransform(normalization: grown.normalization, scale: Float(job.data.scale))
    self.earlier = earlier
    self.grown = grown
  }
}
