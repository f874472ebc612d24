import Testing

@testable import Watch

/// What the judge makes of ranks that stand still, with times that are given.
struct StallJudgeTests {
  private let members = [
    Member(host: "a", process: 11), Member(host: "b", process: 22), Member(host: "b", process: 33),
  ]

  private var deadlines: Deadlines {
    var deadlines = Deadlines()
    for phase in Phase.allCases { deadlines[phase] = .seconds(10) }
    deadlines[.checkpoint] = .seconds(100)
    return deadlines
  }

  /// A judge of rank 0 of three that waits in its step from second 0 on.
  private func waiting(_ deadlines: Deadlines? = nil) -> StallJudge {
    var judge = StallJudge(
      rank: 0, ranks: 3, deadlines: deadlines ?? self.deadlines, reading: .of(.step, 6), now: 0)
    judge.observe(.of(.step, 7, waits: true), now: 0)
    return judge
  }

  private func beat(_ phase: Phase, waits: Bool = false, step: Int = 7, idle: Double = 0, count: Int) -> Beat {
    Beat(phase: phase, isWaiting: waits, step: step, idle: idle, count: count)
  }

  /// Looks a second at a time, with what the others say in it, until there is a stall.
  private func run(_ judge: StallJudge, until end: Int, _ others: (Int) -> [Beat?]) -> (StallJudge.Stall?, Int) {
    var judge = judge
    for second in 1...end {
      let now = Double(second)
      judge.observe(.of(.step, 7, waits: true), now: now)
      judge.observe([nil] + others(second), now: now)
      if let stall = judge.stall(now: now) { return (stall, second) }
    }
    return (nil, end)
  }

  @Test func stoppedRankIsNamed() throws {
    // Rank 2 stopped in its step: it says nothing new; rank 1 waits as this one does.
    let (found, second) = run(waiting(), until: 30) { second in
      [beat(.step, waits: true, idle: Double(second), count: second), beat(.step, idle: 0.2, count: 4)]
    }
    let stall = try #require(found)
    #expect(second <= 12)
    #expect(stall.culprits == [2] && stall.phase == .step && stall.limit == 10)
    let text = stall.text(members)
    for words in [
      "rank 2 (host b, process 33) hangs: step after step 7", "watchdog.step allows 10", "waits for ranks",
      "silent for",
    ] {
      #expect(text.contains(words), "\(text)")
    }
    #expect(text.split(separator: "\n").count == 5, "a line for each rank: \(text)")
    #expect(waiting().patience(stall) == 0)
  }

  @Test func rankThatIsStoppedWhileItWaitsIsNamed() throws {
    let (found, second) = run(waiting(), until: 30) { second in
      [beat(.step, waits: true, idle: Double(second), count: second), beat(.step, waits: true, idle: 0.3, count: 4)]
    }
    let stall = try #require(found)
    #expect(second <= 12)
    #expect(stall.culprits == [2] && stall.phase == .collective)
  }

  @Test func allWaitForEachOther() throws {
    let (found, second) = run(waiting(), until: 30) { second in
      (0..<2).map { _ in beat(.step, waits: true, idle: Double(second), count: second) }
    }
    #expect(try #require(found).culprits.isEmpty)
    #expect(second == 11)
  }

  /// The last beat says that it wrote a checkpoint, and the kernel that it is stopped.
  @Test func stoppedProcessHasTheLeastTime() throws {
    var judge = waiting()
    for second in 1...11 {
      let now = Double(second)
      judge.observe(.of(.step, 7, waits: true), now: now)
      judge.observe([nil, beat(.checkpoint, count: 3), beat(.checkpoint, count: 4)], stopped: [2], now: now)
      #expect(judge.stall(now: now) == nil)
    }
    judge.observe(.of(.step, 7, waits: true), now: 12)
    let stall = try #require(judge.stall(now: 12))
    #expect(stall.culprits == [2] && stall.phase == .step && stall.limit == 10)
  }

  /// Who waits for a rank that is at work within its own deadline is excused, however long.
  @Test func slowCheckpointIsNoStall() {
    let (found, _) = run(waiting(), until: 99) { second in
      [
        beat(.step, waits: true, idle: Double(second), count: second),
        beat(.checkpoint, idle: Double(second), count: second),
      ]
    }
    #expect(found == nil)
  }

  @Test func pausesOfHalfTheDeadlineAreNoStall() {
    let (found, _) = run(waiting(), until: 200) { second in
      // Each rank stands still for five seconds, then goes on.
      (0..<2).map { _ in beat(.step, waits: false, step: 7 + second / 5, idle: Double(second % 5), count: second) }
    }
    #expect(found == nil)
  }

  /// Stopped with all of the job and continued, as a scheduler does: what was seen before says nothing.
  @Test func ownPauseForgets() {
    var judge = waiting()
    judge.observe([nil, beat(.step, count: 1), beat(.step, count: 1)], now: 2)
    judge.observe(.of(.step, 7, waits: true), now: 3)
    judge.observe(.of(.step, 7, waits: true), now: 500)
    judge.observe([nil, beat(.step, count: 1), beat(.step, count: 1)], now: 500)
    #expect(judge.stall(now: 500) == nil && judge.idle(now: 500) == 0)
  }

  @Test func ownStallNeedsNoOthers() throws {
    var judge = StallJudge(rank: 0, ranks: 3, deadlines: deadlines, reading: .of(.reading, 3), now: 0)
    for second in 1...10 { judge.observe(.of(.reading, 3), now: Double(second)) }
    #expect(judge.stall(now: 10) == nil)
    judge.observe(.of(.reading, 3), now: 11)
    let stall = try #require(judge.stall(now: 11))
    #expect(stall.culprits == [0] && stall.phase == .reading)
    #expect(stall.text(members).contains("not known"))
  }

  /// Ranks of its own host that the kernel has stopped are known without a word of theirs.
  @Test func rankThatIsStoppedBeforeItSaysAnythingIsNamed() throws {
    var judge = StallJudge(rank: 0, ranks: 3, deadlines: deadlines, reading: .of(.start, 0), now: 0)
    for second in 0...10 {
      judge.observe(.of(.start, 0, waits: true), now: Double(second))
      judge.observe([], stopped: [2], now: Double(second))
      #expect(judge.stall(now: Double(second)) == nil)
    }
    judge.observe(.of(.start, 0, waits: true), now: 11)
    let stall = try #require(judge.stall(now: 11))
    #expect(stall.culprits == [2] && stall.phase == .start)
    let text = stall.text(members)
    #expect(text.contains("rank 2 (host b, process 33) hangs: start, before it has said anything"), "\(text)")
    #expect(text.contains("watchdog.start allows 10 s") && text.contains("33  start\n"), "\(text)")
    #expect(judge.patience(stall) == 0)
    // A rank of another host does not know, and lets the others speak first.
    judge.observe([], stopped: [], now: 11)
    let unknown = try #require(judge.stall(now: 11))
    #expect(unknown.culprits.isEmpty && judge.patience(unknown) > 1)
  }

  /// The others have said something, and one has not.
  @Test func rankThatHasSaidNothingIsNamed() throws {
    let (found, second) = run(waiting(), until: 200) { second in
      [beat(.step, waits: true, idle: Double(second), count: second), nil]
    }
    let stall = try #require(found)
    #expect(stall.culprits == [2] && second == 101)
    #expect(stall.text(members).contains("rank 2 (host b, process 33) hangs: start, before it has said anything"))
  }

  /// For ranks that it cannot see this one allows what any phase may take.
  @Test func unknownRanksAreWaitedForLongest() {
    let (found, second) = run(waiting(), until: 200) { _ in [nil, nil] }
    #expect(found?.culprits == [] && second == 101)
    var withoutLimit = deadlines
    withoutLimit[.evaluation] = .seconds(0)
    #expect(run(waiting(withoutLimit), until: 500) { _ in [nil, nil] }.0 == nil)
  }

  @Test func limitsAreLearned() {
    let learned = Deadlines()
    #expect(learned.seconds(of: .step, longest: nil) == 1_800)
    #expect(learned.seconds(of: .step, longest: 0.1) == 300)
    #expect(learned.seconds(of: .reading, longest: 100) == 1_000)
    #expect(learned.seconds(of: .checkpoint, longest: 1) == 1_800)
    var off = Deadlines()
    for phase in Phase.allCases { off[phase] = .seconds(0) }
    #expect(off.isOff && off.seconds(of: .step, longest: 1) == nil && !learned.isOff)
  }

  @Test func beatsSurviveTheirFile() {
    let beat = Beat(phase: .evaluation, isWaiting: true, step: .max, idle: 1_234.5, count: 99)
    #expect(beat.record.count == Beat.bytes)
    #expect(Beat(record: beat.record) == beat)
    #expect(Beat(record: beat.record.dropLast()) == nil)
    #expect(Beat(record: [UInt8](repeating: 0, count: Beat.bytes)) == nil)
  }
}

extension Pulse.Reading {
  fileprivate static func of(_ phase: Phase, _ step: Int, waits: Bool = false) -> Self {
    Self(phase: phase, isWaiting: waits, step: step)
  }
}
