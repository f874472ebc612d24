import Glibc
import Testing

@testable import Training

@Suite struct CheckpointScheduleTests {
  private func schedule(steps: Int = 0, seconds: Double = 0, failures: Double? = nil) -> CheckpointSchedule {
    CheckpointSchedule(
      TrainingJob.Checkpointing(everySteps: steps, everySeconds: seconds, meanTimeBetweenFailures: failures, keep: 1))
  }

  @Test func bySteps() {
    #expect((0...12).filter { schedule(steps: 5).isDue(after: $0) } == [0, 5, 10])
    #expect(!schedule().isDue(after: 5) && schedule(steps: 5).seconds == nil)
  }

  @Test func byTime() {
    var schedule = schedule(seconds: 30)
    #expect(schedule.seconds == 30)
    schedule.note(seconds: 7)
    #expect(schedule.seconds == 30)
  }

  /// The first one early, and then by what the saves so far took on average.
  @Test func byFailures() throws {
    var schedule = schedule(seconds: 600, failures: 86_400)
    #expect(schedule.seconds == 60)
    schedule.note(seconds: 1)
    schedule.note(seconds: 3)
    #expect(schedule.seconds == CheckpointSchedule.optimum(saveSeconds: 2, secondsBetweenFailures: 86_400))
    #expect(self.schedule(failures: 100).seconds == 10)
  }

  /// Daly's own form of the loss, for failures that come at random: the interval that is named loses least.
  @Test(arguments: [(1.0, 3_600.0), (60, 3_600), (600, 3_600), (5, 86_400)])
  func theIntervalLosesLeast(saveSeconds: Double, between: Double) {
    /// Seconds that an endless run takes for a second of training; restarting takes none (equation 20 of the source).
    func cost(_ interval: Double) -> Double { between * (Glibc.exp((interval + saveSeconds) / between) - 1) / interval }
    let optimum = CheckpointSchedule.optimum(saveSeconds: saveSeconds, secondsBetweenFailures: between)
    let least = cost(optimum)
    for factor in [0.5, 0.8, 1.25, 2] { #expect(cost(factor * optimum) > least, "\(optimum) seconds times \(factor)") }
    let young = (2 * saveSeconds * between).squareRoot()
    #expect(abs(optimum / young - 1) < 0.3)
  }

  @Test func savingThatTakesLongerThanFailuresAllow() {
    #expect(CheckpointSchedule.optimum(saveSeconds: 500, secondsBetweenFailures: 100) == 100)
  }
}
