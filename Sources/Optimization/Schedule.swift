internal import Kernels

/// The schedules of the learning rate that a job can name; s counts the steps since the end of the warm-up, from 0.
public enum ScheduleKind: String, CaseIterable, Sendable {
  /// The learning rate itself.
  case constant
  /// times `factor` to the power of ⌊s / everySteps⌋
  case step
  /// times `decay` to the power of s / everySteps
  case exponential
  /// divided by 1 + `decay` s / everySteps
  case inverseTime = "inverse_time"
  /// Half a cosine from the learning rate down to `minimum` over the steps left after the warm-up.
  case cosine
  /// times `factor` whenever the loss has not become better for `patience` observations.
  case plateau
}

/// The learning rate of each step.
///
/// Warm-up is linear: the rate of step t < `warmupSteps` is (t + 1) / `warmupSteps` of the base. After it no rate is
/// below `minimum`.
public struct Schedule: Equatable, Sendable {
  public var kind: ScheduleKind
  public var warmupSteps = 0
  /// For `step`, `exponential` and `inverse_time`.
  public var everySteps: Int
  /// For `step` and `plateau`.
  public var factor = 0.1
  /// For `exponential` and `inverse_time`.
  public var decay: Double
  /// The lowest learning rate after the warm-up.
  public var minimum = 0.0
  /// For `plateau`: how many observations without a better loss are borne (PyTorch's default).
  public var patience = 10

  /// The kind with its default numbers.
  public init(_ kind: ScheduleKind) {
    self.kind = kind
    everySteps = kind == .step ? 1000 : 1
    decay = kind == .exponential ? 0.999 : 1e-3
  }

  /// The learning rate of `step`, counted from 0, in a training of `totalSteps`.
  ///
  /// - Parameter multiplier: the one of `PlateauState`; without meaning for other kinds.
  public func rate(base: Double, step: Int, totalSteps: Int, multiplier: Double = 1) -> Double {
    if step < warmupSteps { return base * Double(step + 1) / Double(warmupSteps) }
    let since = step - warmupSteps
    let period = max(everySteps, 1)
    let rate =
      switch kind {
      case .constant: base
      case .step: base * ScalarMath.power(factor, Double(since / period))
      case .exponential: base * ScalarMath.power(decay, Double(since) / Double(period))
      case .inverseTime: base / (1 + decay * Double(since) / Double(period))
      case .cosine:
        minimum + (base - minimum) * (1 + ScalarMath.cosine(.pi * progress(since, totalSteps))) / 2
      case .plateau: base * multiplier
      }
    return max(rate, min(minimum, base))
  }

  /// Whether rates of steps from `step` on may differ though no validation comes between them.
  public func varies(from step: Int) -> Bool { step < warmupSteps || kind != .constant && kind != .plateau }

  /// How much of the steps after the warm-up is over, from 0 to 1.
  private func progress(_ since: Int, _ totalSteps: Int) -> Double {
    let length = totalSteps - warmupSteps
    return length > 0 ? min(1, Double(since) / Double(length)) : 1
  }
}

/// What the schedule `plateau` remembers; part of a checkpoint.
public struct PlateauState: Equatable, Sendable {
  /// The lowest loss so far.
  public var best = Double.infinity
  /// Observations since then.
  public var badCount = 0
  /// What the learning rate is multiplied by.
  public var multiplier = 1.0

  public init() {}

  /// Takes note of a loss: better is lower than the best by a part in 10,000, as in PyTorch's `ReduceLROnPlateau`.
  public mutating func observe(_ loss: Double, _ schedule: Schedule) {
    guard schedule.kind == .plateau else { return }
    if loss < best * (1 - 1e-4) {
      best = loss
      badCount = 0
      return
    }
    badCount += 1
    if badCount > schedule.patience {
      multiplier *= schedule.factor
      badCount = 0
    }
  }
}
