import Data
import Failures
import Files
import JSON
import MPI
import Parallel

/// What a training that goes on from a saved model does beside training.
extension TrainingRun {
  /// What compares the models before and after; nil for a model of its own. Collective.
  func makeJudge<Strategy: ParallelStrategy>(_ strategy: Strategy) throws -> ModelJudge<Strategy>? {
    guard let rows = continued?.rows else { return nil }
    return ModelJudge(
      strategy, old: try rows.old.map { try makeValidator(strategy, of: $0.dataset) },
      new: try makeValidator(strategy, of: rows.new.dataset))
  }

  /// What holds weights to those of the saved model; nil where the job does not ask for it. Collective.
  func makeElastic() throws -> ElasticPenalty? {
    guard let continued, let weight = job.from?.elastic, weight > 0 else { return nil }
    guard let sample = continued.earlier.sample else { preconditionFailure("no sample, though the rows were checked") }
    var penalty: ElasticPenalty?
    try Agreement.everywhere(grid.world) {
      penalty = try ElasticPenalty(
        weight: weight, earlier: continued.earlier, sample: sample, grown: design.model, nonFinite: job.data.nonFinite)
    }
    return penalty
  }

  /// Compares the model before and after, and writes that into the run's directory. Collective.
  func compare(
    _ before: (old: Metrics?, new: Metrics), _ after: (old: Metrics?, new: Metrics)
  ) throws -> ModelComparison {
    guard let rows = continued?.rows else { preconditionFailure("a comparison of a model with none") }
    var old: ModelComparison.Part?
    if let name = rows.old?.name, let first = before.old, let last = after.old {
      old = ModelComparison.Part(rows: name, before: first, after: last)
    }
    let comparison = ModelComparison(
      old: old, new: ModelComparison.Part(rows: rows.new.name, before: before.new, after: after.new),
      tolerance: job.from?.tolerance)
    _ = try Agreement.fromRoot(grid.world) {
      let json = comparison.json(classNames: description.classNames)
      try FileSystem.write(
        Array(json.serialized(pretty: true).utf8), to: FileSystem.join(folder, ModelComparison.name))
      return []
    }
    return comparison
  }

  /// Makes ready what is to take the place of the model that the training went on from, where the job asks for that. Collective.
  func prepareUpdate() throws {
    guard let update, let record else { return }
    _ = try Agreement.fromRoot(grid.world) {
      try update.prepare(record)
      return []
    }
  }

  /// Puts the model, which is written and accepted, in the place of the one that the training went on from, where the job asks for
  /// that. Collective.
  func takePlace() throws {
    guard let update else { return }
    _ = try Agreement.fromRoot(grid.world) {
      try update.takePlace()
      return []
    }
  }

  /// Keeps a sample of all rows so far beside the model, where the job asks for one. Collective.
  func keepSample() throws {
    guard let request = job.replay else { return }
    let keeper = SampleKeeper(
      request, rows: continued?.rows.all ?? dataset, fresh: continued?.rows.fresh.rows ?? dataset.rows,
      earlier: continued?.earlier.sample?.record, use: design.targetUse, seed: job.seed)
    try keeper.write(into: folder, world: grid.world)
  }
}
