import Testing

@testable import Launch

@Suite struct RestartPolicyTests {
  @Test func pausesDoubleUntilThereIsProgress() {
    var policy = RestartPolicy(mostRestarts: 3, firstPause: .seconds(1))
    #expect(policy.decide(code: 137, isFirst: false, madeProgress: true) == .restart(after: .seconds(1)))
    #expect(policy.decide(code: 137, isFirst: false, madeProgress: false) == .restart(after: .seconds(2)))
    #expect(policy.decide(code: 137, isFirst: false, madeProgress: true) == .restart(after: .seconds(1)))
    #expect(policy.decide(code: 137, isFirst: false, madeProgress: false) == .restart(after: .seconds(2)))
    #expect(policy.decide(code: 137, isFirst: false, madeProgress: false) == .restart(after: .seconds(4)))
    #expect(policy.decide(code: 137, isFirst: false, madeProgress: false) == .givenUp)
  }

  @Test func pausesEndAtAMinute() {
    var policy = RestartPolicy(mostRestarts: 100, firstPause: .seconds(1))
    var last: RestartPolicy.Decision?
    for _ in 0..<100 { last = policy.decide(code: 1, isFirst: true, madeProgress: false) }
    #expect(last == .restart(after: .seconds(60)))
    #expect(policy.decide(code: 1, isFirst: true, madeProgress: false) == .givenUp)
  }

  @Test func noRestarts() {
    var policy = RestartPolicy(mostRestarts: 0, firstPause: .seconds(1))
    #expect(policy.decide(code: 137, isFirst: true, madeProgress: false) == .givenUp)
    #expect(policy.decide(code: 0, isFirst: true, madeProgress: false) == .finished)
  }

  /// What the input decides would be the same again.
  @Test(arguments: [64, 65, 66, 69, 75, 77, 78] as [Int32]) func final(_ code: Int32) {
    var policy = RestartPolicy(mostRestarts: 3, firstPause: .seconds(1))
    #expect(policy.decide(code: code, isFirst: false, madeProgress: true) == .final)
  }

  @Test(arguments: [1, 70, 74, 76, 132, 137, 139] as [Int32]) func transient(_ code: Int32) {
    var policy = RestartPolicy(mostRestarts: 3, firstPause: .seconds(1))
    #expect(policy.decide(code: code, isFirst: true, madeProgress: false) == .restart(after: .seconds(1)))
  }

  /// The lock may be held by a rank that is about to die, but not before there was a first training.
  @Test func lockedOutput() {
    var policy = RestartPolicy(mostRestarts: 3, firstPause: .seconds(1))
    #expect(policy.decide(code: 73, isFirst: true, madeProgress: false) == .final)
    #expect(policy.decide(code: 73, isFirst: false, madeProgress: false) == .restart(after: .seconds(1)))
  }
}
