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
    score = try PrequentialScore(learner.task, job.score)
    drift = try job.drift.map { try DriftResponse($0) }
    featureDrift = try job.drift.flatMap {
      $0.watchesFeatures ? try FeatureDrift($0.detector, columns: inputs) : nil
    }
  }

  /// What goes on; a rank that the earlier start did not have takes the model of another one, and a score of its own.
  init(_ job: StreamJob, resuming state: StreamState, rank: Int, ranks: Int) throws {
    inputs = state.inputs
    let settings = job.learner.settings(inputs: inputs)
    let own = state.ranks[rank % state.ranks.count]
    learner = try OnlineLearner(settings, sharesEvidence: ranks > 1, json: own["learner"] ?? JSONNode(.null))
    if let json = own["fresh"], !json.isNull {
      fresh = try OnlineLearner(settings, sharesEvidence: ranks > 1, json: json)
    } else {
      fresh = nil
    }
    // The scores of ranks that are no more go to others.
    var score = try PrequentialScore(learner.task, job.score)
    for index in stride(from: rank, to: state.ranks.count, by: ranks) {
      let earlier = try PrequentialScore(learner.task, job.score, json: state.ranks[index]["score"] ?? JSONNode(.null))
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
