import Failures
import JSON
import Online

/// What learns on a rank: as the job has it, or as a checkpoint left it.
struct StreamParts {
  let inputs: Int
  let learner: OnlineLearner
  let fresh: OnlineLearner?
  let score: PrequentialScore
  let drift: DriftResponse?
  let featureDrift: FeatureDrift?

  /// What begins.
  init(_ job: StreamJob, inputs: Int, ranks: Int) throws {
    self.inputs = inputs
    learner = try OnlineLearner(job.learner.settings(inputs: inputs), sharesEvidence: ranks > 1)
    fresh = nil
    score = try PrequentialScore(self.learner.task, job.score)
    drift = try job.drift.map { try DriftResponse($0) }
    featureDrift = try job.drift.flatMap {
      $0.watchesFeatures ? try FeatureDrift($0.detector, columns: inputs) : nil
    }
  }

  /// What goes on. Where there are more ranks now, or fewer, each has the model that all had, with the mean of what their optimizers
  /// remembered; a rank that the earlier start did not have begins a score of its own.
  init(_ job: StreamJob, resuming state: StreamState, rank: Int, ranks: Int) throws {
    inputs = state.inputs
    let settings = job.learner.settings(inputs: inputs)
    let own = state.ranks[rank % state.ranks.count]
    func learner(_ key: String) throws -> OnlineLearner? {
      let states = (state.ranks.count == ranks ? [own] : state.ranks).compactMap { $0[key] }.filter { !$0.isNull }
      let learners = try states.map { try OnlineLearner(settings, sharesEvidence: ranks > 1, json: $0) }
      if learners.count > 1 { learners[0].takeMeanOptimizer(of: learners) }
      return learners.first
    }
    self.learner =
      try learner("learner") ?? OnlineLearner(settings, sharesEvidence: ranks > 1, json: JSONNode(.null))
    fresh = try learner("fresh")
    // The scores of ranks that are no more go to others.
    var score = try PrequentialScore(self.learner.task, job.score)
    for index in stride(from: rank, to: state.ranks.count, by: ranks) {
      let earlier = try PrequentialScore(
        self.learner.task, job.score, json: state.ranks[index]["score"] ?? JSONNode(.null))
      if index == rank { score = earlier } else { score.merge(earlier) }
    }
    self.score = score
    if let settings = job.drift, let json = state.drift {
      drift = try DriftResponse(settings, json: json)
    } else {
      drift = try job.drift.map { try DriftResponse($0) }
    }
    if let settings = job.drift, settings.watchesFeatures {
      let json = own["feature_drift"] ?? JSONNode(.null)
      featureDrift =
        json.isNull
        ? try FeatureDrift(settings.detector, columns: inputs)
        : try FeatureDrift(settings.detector, columns: inputs, json: json)
    } else {
      featureDrift = nil
    }
  }
}
