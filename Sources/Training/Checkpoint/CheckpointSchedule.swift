/// When checkpoints fall due: by steps, by time, or by what is lost without them.
struct CheckpointSchedule: Sendable {
  private let settings: TrainingJob.Checkpointing
  private var savings = (seconds: 0.0, count: 0)

  init(_ settings: TrainingJob.Checkpointing) { self.settings = settings }

  /// A checkpoint took so long from the copy until it was complete.
  mutating func note(seconds: Double) {
    savings.seconds += seconds
    savings.count += 1
  }

  /// Whether one falls due after `step` updates, whatever the clock says.
  func isDue(after step: Int) -> Bool {
    settings.everySteps > 0 && step.isMultiple(of: settings.everySteps)
  }

  /// Seconds from a save to the next; nil where none falls due by time.
  var seconds: Double? {
    guard let between = settings.meanTimeBetweenFailures else {
      return settings.everySeconds > 0 ? settings.everySeconds : nil
    }
    // The first one is made early, since it tells what one costs.
    guard savings.count > 0 else { return min(60, between / 10) }
    return Self.optimum(saveSeconds: savings.seconds / Double(savings.count), secondsBetweenFailures: between)
  }

  /// The seconds of training between two saves that lose the least: a long interval loses steps when a failure comes, a short one the
  /// time of saving.
  ///
  /// Source: J. T. Daly, A higher order estimate of the optimum checkpoint interval for restart dumps, Future Generation Computer
  /// Systems 22 (2006), equation 37; its first term is J. W. Young's (CACM 17, 1974).
  static func optimum(saveSeconds: Double, secondsBetweenFailures: Double) -> Double {
    let part = saveSeconds / (2 * secondsBetweenFailures)
    guard part < 1 else { return secondsBetweenFailures }
    let first = (2 * saveSeconds * secondsBetweenFailures).squareRoot()
    return first * (1 + part.squareRoot() / 3 + part / 9) - saveSeconds
  }
}
