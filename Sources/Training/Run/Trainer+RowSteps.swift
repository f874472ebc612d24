import Data
import Files
import Kernels
import Optimization
import Parallel

/// Steps of one row: so short that what surrounds a step would take most of the time.
extension Trainer {
  /// The most steps that are made between two looks at signals and clocks.
  private static var mostSteps: Int { 1024 }

  /// Whether steps can be made in runs: the batch is one row and the optimizer remembers nothing.
  static func makesRowSteps(_ job: TrainingJob, _ plan: TrainingPlan) -> Bool {
    plan.batchRows == 1 && job.optimizer.kind == .sgd && job.clipNorm == 0
      && job.data.nonFinite != .skipRow
  }

  /// Makes the steps of one row that lie before the next one after which anything falls due, with the bits of the ordinary steps; none
  /// where steps are no such.
  ///
  /// The first step of a start, the last of an epoch and those that the log or a checkpoint names are ordinary ones; so is one whose
  /// gradient is not finite, or whose row cannot be read, so that it is told like any other.
  func makeRowSteps() {
    guard Self.makesRowSteps(job, plan), state.step > firstStep, !Termination.isRequested else { return }
    let step = plan.step(state.step)
    let start = step.positions.lowerBound
    let count = min(plan.stepsPerEpoch - 1 - start, stepsBeforeNextDue, Self.mostSteps)
    guard count > 0 else { return }
    reserveRates(count)
    let descent = try? strategy.withOwnRows(epoch: step.epoch, positions: start..<start + count) {
      model, parameters, features, rows, targets in
      optimizer.descend(
        model, parameters: &parameters, features: features, rows: rows, targets: targets, rates: rates)
    }
    guard let descent, descent.steps > 0 else { return }
    state.step += descent.steps
    state.samples += descent.steps
    lastLoss = Double(descent.loss)
  }

  /// How many steps can be made before the one after which something falls due.
  private var stepsBeforeNextDue: Int {
    var steps = plan.totalSteps - 1 - state.step
    for every in [job.logEvery, job.checkpoint.everySteps] where every > 0 {
      steps = min(steps, every - 1 - state.step % every)
    }
    return steps
  }

  /// Brings the learning rates of the next `count` steps to `rates`.
  private func reserveRates(_ count: Int) {
    rates.reserve(Self.mostSteps)
    guard job.schedule.varies(from: state.step) else {
      return rates.fill(0..<count, with: Float(rate(ofStep: state.step)))
    }
    for index in 0..<count { rates[index] = Float(rate(ofStep: state.step + index)) }
  }
}
