import Model
import Parallel

/// Seconds of what the copies of a model do together at the end of a step, for the ranks of one stage.
struct ReductionTimes {
  /// The sum of the gradients.
  private(set) var reduction = PieceTimes()
  /// The optimizer's step, and its result brought to all.
  private(set) var update = PieceTimes()

  /// Below so many bytes an all-gather goes in few rounds, and above in those that send least.
  private static let fewBytes = 81_920.0

  init(_ plan: StepPlan, _ place: GridPlace, _ predictor: StepPredictor) throws(ModelError) {
    let (profile, cluster, shape) = (predictor.profile, predictor.cluster, plan.shape)
    let sum = try plan.summation(at: place)
    let copies = Cluster.Group(first: place.modelIndex, stride: shape.modelRanks, count: shape.data)
    let ranks = Double(shape.data)
    func gather(_ floats: Int) -> Double {
      let bytes = 4 * Double(floats) * (ranks - 1)
      let rounds = bytes > Self.fewBytes ? shape.data - 1 : StepPredictor.rounds(shape.data)
      return cluster.exchange(bytes, rounds: rounds, in: copies, profile)
    }
    if let between = sum.between {
      // The ranks of a node wait for each other twice.
      let meeting = profile.exchange.seconds(0)
      reduction.communication = meeting + cluster.between(Double(between.sums.bytes), messages: between.sums.messages)
      reduction.computing = profile.addition.seconds(sum.additions)
      update.communication =
        meeting + cluster.between(Double(between.parameters.bytes), messages: between.parameters.messages)
    } else if let buckets = sum.buckets {
      // Each bucket's pieces to their owners, and the sums to all.
      let gathered = Double(buckets.collectives.bytes) * (ranks - 1)
      reduction.communication = cluster.exchange(
        Double(buckets.messages.bytes) + gathered, rounds: 2, messages: 2 * buckets.messages.messages, in: copies,
        profile)
      reduction.computing = profile.addition.seconds(sum.additions)
    } else if shape.data > 1 {
      switch plan.mode {
      case .ordered:
        let bytes = 4 * Double(sum.rounds) * Double(sum.width - sum.slice)
        reduction.communication = cluster.exchange(bytes, rounds: sum.rounds, in: copies, profile)
        if !plan.shardsOptimizer { reduction.communication += gather(sum.slice) }
      case .fast:
        // Half of an all-reduce adds, the other half brings the sum to all.
        let bytes = 4 * Double(sum.width) * (ranks - 1) / ranks
        let half = cluster.exchange(bytes, rounds: StepPredictor.rounds(shape.data), in: copies, profile)
        reduction.communication = plan.shardsOptimizer ? half : 2 * half
      }
      reduction.computing = profile.addition.seconds(sum.additions)
    }
    // Whether all is finite, and the norm where gradients are clipped.
    let isShared = sum.between != nil
    let checked = plan.shardsOptimizer || isShared ? sum.owned : sum.width
    update.computing = (predictor.training.clips ? 2 : 1) * profile.check.seconds(checked)
    update.computing += profile.update.seconds(sum.owned)
    if plan.shardsOptimizer, !isShared, shape.data > 1 {
      // Each has looked at its slice alone: what the slices hold is told first.
      reduction.communication += cluster.exchange(64, rounds: StepPredictor.rounds(shape.data), in: copies, profile)
      update.communication = gather(sum.owned)
    }
  }
}
