import Foundation
import Optimization
import Testing

@Suite struct ScheduleTests {
  private func rates(_ schedule: Schedule, _ steps: [Int], of total: Int = 100) -> [Double] {
    steps.map { schedule.rate(base: 0.8, step: $0, totalSteps: total) }
  }

  private func expectEqual(_ rates: [Double], _ expected: [Double], sourceLocation: SourceLocation = #_sourceLocation) {
    #expect(rates.count == expected.count)
    for (rate, truth) in zip(rates, expected) {
      #expect(abs(rate - truth) < 1e-15, sourceLocation: sourceLocation)
    }
  }

  @Test func constant() { expectEqual(rates(Schedule(.constant), [0, 1, 99]), [0.8, 0.8, 0.8]) }

  @Test func warmUpIsLinear() {
    var schedule = Schedule(.constant)
    schedule.warmupSteps = 4
    expectEqual(rates(schedule, [0, 1, 2, 3, 4, 5]), [0.2, 0.4, 0.6, 0.8, 0.8, 0.8])
  }

  @Test func steps() {
    var schedule = Schedule(.step)
    (schedule.everySteps, schedule.factor, schedule.warmupSteps) = (3, 0.5, 2)
    expectEqual(rates(schedule, [1, 2, 4, 5, 7, 8]), [0.8, 0.8, 0.8, 0.4, 0.4, 0.2])
  }

  @Test func exponential() {
    var schedule = Schedule(.exponential)
    (schedule.everySteps, schedule.decay) = (10, 0.25)
    expectEqual(rates(schedule, [0, 5, 10, 20]), [0.8, 0.4, 0.2, 0.05])
  }

  @Test func inverseTime() {
    var schedule = Schedule(.inverseTime)
    (schedule.everySteps, schedule.decay) = (10, 3)
    expectEqual(rates(schedule, [0, 10, 50]), [0.8, 0.2, 0.05])
  }

  @Test func cosine() {
    var schedule = Schedule(.cosine)
    (schedule.minimum, schedule.warmupSteps) = (0.2, 20)
    expectEqual(
      rates(schedule, [20, 40, 60, 100, 120]), [0.8, 0.5 + 0.3 * cos(Double.pi / 4), 0.5, 0.2, 0.2])
    // A training that is all warm-up.
    schedule.warmupSteps = 200
    expectEqual(rates(schedule, [199, 200]), [0.8, 0.2])
  }

  @Test func minimumBoundsEveryKind() {
    for kind in ScheduleKind.allCases {
      var schedule = Schedule(kind)
      (schedule.minimum, schedule.decay, schedule.everySteps) = (0.1, kind == .inverseTime ? 50 : 0.1, 1)
      let rate = schedule.rate(base: 0.8, step: 99, totalSteps: 100, multiplier: 1e-9)
      #expect(rate >= 0.1)
      #expect(schedule.rate(base: 0.05, step: 99, totalSteps: 100, multiplier: 1e-9) <= 0.1)
    }
  }

  /// The rules of `ReduceLROnPlateau`, with its threshold of a part in 10,000.
  @Test func plateau() {
    var schedule = Schedule(.plateau)
    (schedule.patience, schedule.factor) = (2, 0.5)
    var state = PlateauState()
    var multipliers: [Double] = []
    for loss in [1, 0.5, 0.49999, 0.6, 0.5, 0.5, 0.5, 0.5, 0.4, 0.5, 0.5, .nan] {
      state.observe(loss, schedule)
      multipliers.append(state.multiplier)
    }
    #expect(multipliers == [1, 1, 1, 1, 0.5, 0.5, 0.5, 0.25, 0.25, 0.25, 0.25, 0.125])
    #expect(state.best == 0.4)
    expectEqual([schedule.rate(base: 0.8, step: 3, totalSteps: 9, multiplier: state.multiplier)], [0.1])
    state.observe(0.1, Schedule(.cosine))
    #expect(state.best == 0.4)
  }
}
