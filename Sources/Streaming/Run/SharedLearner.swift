import Kernels
import MPI
import Online
import Optimization
import Parallel

/// A learner whose ranks wait for each other to combine what they have learned: the parameters that they have in common, and how far they go together.
final class SharedLearner {
  let learner: OnlineLearner
  /// Nil takes means by rows.
  private let scale: StepScale?
  /// The parameters of all ranks after the last combination.
  private var base = FloatBuffer(count: 0)
  private var change = FloatBuffer(count: 0)

  /// All ranks have equal learners now.
  init(_ learner: OnlineLearner, _ form: CombinationForm, _ rule: StepRule, ranks: Int) {
    self.learner = learner
    guard rule == .sum, learner.combines == .gradients else {
      // Steps that go all the way, as those of a row that is put right at once, are not added.
      scale = nil
      return
    }
    let ranks = Float(ranks)
    // The squares that these rules divide by are those of a rank's own rows, so that its steps are longer by the root.
    let isLonger = form == .parameters && [.adagrad, .ftrl].contains(learner.settings.optimizer.kind)
    scale = StepScale(least: 1 / ranks, most: isLonger ? 1 / ranks.squareRoot() : 1)
    guard form == .parameters else { return }
    base = FloatBuffer(count: learner.parameters.count)
    change = FloatBuffer(count: learner.parameters.count)
    base.copy(from: learner.parameters)
  }

  /// Gives the learner what all ranks have learned since the last time. Collective.
  /// - Parameter share: the part of this rank in the rows of all.
  func combine(_ world: borrowing Communicator, share: Float) throws(MPIError) {
    guard let scale else {
      learner.weigh(by: share)
      return try world.sum(&learner.parameters)
    }
    let all = 0..<change.count
    change.copy(from: learner.parameters)
    Elementwise.add(base, all, times: -1, to: &change, at: 0)
    try world.sum(&change)
    Elementwise.add(change, all, times: scale.next(change), to: &base, at: 0)
    learner.parameters.copy(from: base)
  }

  /// Makes a step with the sum of the gradients of all ranks, which the learner has.
  func step(_ all: StepSum.Totals) {
    if let scale, all.ranks > 1 {
      // The sum of what would be a step of each rank.
      let factor = scale.next(learner.gradient) * Float(all.ranks)
      Elementwise.scale(&learner.gradient, 0..<learner.gradient.count, by: factor)
    }
    learner.step(samples: all.rows)
  }
}
