/// Tells from what the ranks say of themselves whether one of them is stuck.
///
/// Knows no clock and no files: times are seconds, given with each call.
struct StallJudge {
  /// Seconds after which a rank that says nothing new counts as silent.
  static let silence = 4.0
  /// A watching thread that was not run for so long was stopped with all of its process: what it has seen is too old.
  static let gap = 5.0
  /// Seconds that ranks which do not speak first wait for the end.
  private static let patience = 2.5
  /// Seconds between two ranks that speak in turn.
  private static let turn = 0.25

  /// What is known of a rank now.
  struct Status: Equatable {
    var beat: Beat
    /// Seconds since it went on.
    var idle: Double
    /// Seconds since it said something.
    var silent: Double
  }

  /// Why the job has to end.
  struct Stall: Equatable {
    /// The ranks that are to blame; empty where all wait for each other.
    var culprits: [Int]
    /// The deadline that has passed, and its seconds.
    var phase: Phase
    var limit: Double
    /// What is known of every rank; nil for one that has said nothing.
    var ranks: [Status?]
    /// The phase of those that have said nothing; nil where nothing can be heard.
    var silentPhase: Phase?
  }

  let rank: Int
  let ranks: Int
  private let deadlines: Deadlines
  private var last: Pulse.Reading
  /// When this rank last went on, and when that was last looked at.
  private var wentOn: Double
  private var looked: Double
  private var count = 0
  private var longest = [Double?](repeating: nil, count: Phase.allCases.count)
  /// The last beat of each other rank, and when it was first seen.
  private var seen: [(beat: Beat, at: Double)?]
  /// Ranks of this host that the kernel has stopped.
  private var stopped: Set<Int> = []

  init(rank: Int, ranks: Int, deadlines: Deadlines, reading: Pulse.Reading, now: Double) {
    self.rank = rank
    self.ranks = ranks
    self.deadlines = deadlines
    last = reading
    wentOn = now
    looked = now
    seen = [(beat: Beat, at: Double)?](repeating: nil, count: ranks)
  }

  /// Seconds since this rank went on.
  func idle(now: Double) -> Double { now - wentOn }

  /// What this rank says of itself.
  func beat(now: Double) -> Beat {
    Beat(phase: last.phase, isWaiting: last.isWaiting, step: last.step, idle: idle(now: now), count: count)
  }

  /// Looks at what this rank does.
  mutating func observe(_ reading: Pulse.Reading, now: Double) {
    defer { looked = now }
    count += 1
    if now - looked > Self.gap {
      wentOn = now
      forget()
    }
    guard reading != last else { return }
    learn(beat(now: now).deadline, now - wentOn)
    last = reading
    wentOn = now
    forget()
  }

  /// Takes note of what the other ranks have said. Asked for while this rank is idle: what was seen before it went on is of no use.
  mutating func observe(_ beats: [Beat?], stopped: Set<Int> = [], now: Double) {
    self.stopped = stopped
    for (other, beat) in beats.enumerated() where other != rank {
      guard let beat, beat != seen[other]?.beat else { continue }
      seen[other] = (beat, now)
    }
  }

  private mutating func forget() {
    for other in seen.indices { seen[other] = nil }
  }

  private mutating func learn(_ phase: Phase, _ seconds: Double) {
    longest[Int(phase.rawValue)] = max(longest[Int(phase.rawValue)] ?? 0, seconds)
  }

  private func limit(_ phase: Phase) -> Double? {
    deadlines.seconds(of: phase, longest: longest[Int(phase.rawValue)])
  }

  private func status(of other: Int, now: Double) -> Status? {
    guard other != rank else { return Status(beat: beat(now: now), idle: idle(now: now), silent: 0) }
    return seen[other].map { Status(beat: $0.beat, idle: $0.beat.idle + (now - $0.at), silent: now - $0.at) }
  }

  /// Nil as long as no deadline has passed.
  ///
  /// A rank that waits for others is excused as long as one of them works within its deadline. Where all wait for each other, one of
  /// them is stopped, or the network is gone.
  func stall(now: Double) -> Stall? {
    let all = (0..<ranks).map { status(of: $0, now: now) }
    let stuck = all.indices.filter { index in
      guard let status = all[index], let limit = limitOfWorking(index, status) else { return false }
      return status.idle > limit.seconds
    }
    // Ranks say something before they go over to another phase, as soon as they can.
    let isTold = all.indices.contains { $0 != rank && all[$0] != nil }
    let silentPhase = isTold || last.phase == .start ? Phase.start : nil
    if let first = stuck.first, let status = all[first], let limit = limitOfWorking(first, status) {
      return Stall(
        culprits: stuck, phase: limit.phase, limit: limit.seconds, ranks: all, silentPhase: silentPhase)
    }
    guard last.isWaiting, let limit = limitOfWaiting(all) else { return nil }
    let known = all.compactMap { $0 }
    guard known.allSatisfy({ $0.beat.isWaiting }), let least = known.map(\.idle).min(), least > limit else {
      return nil
    }
    var culprits = stopped.sorted()
    if culprits.isEmpty {
      // Where nobody can be heard, who is silent is not to blame for it.
      culprits = all.indices.filter { index in
        all[index].map { $0.silent > Self.silence } ?? isTold
      }
    }
    return Stall(
      culprits: culprits, phase: last.phase == .start ? .start : .collective, limit: limit, ranks: all,
      silentPhase: silentPhase)
  }

  /// How long a rank may be at work. Its last beat may be older than the phase in which it was stopped: what is certainly stopped has
  /// the least time.
  private func limitOfWorking(_ rank: Int, _ status: Status) -> (phase: Phase, seconds: Double)? {
    let phases = stopped.contains(rank) ? [status.beat.deadline, .step, .collective] : [status.beat.phase]
    guard phases.count > 1 || !status.beat.isWaiting else { return nil }
    return phases.compactMap { phase in limit(phase).map { (phase, $0) } }.min { $0.1 < $1.1 }
  }

  /// How long this rank may wait. For ranks that it knows nothing of it has to allow what any phase may take.
  private func limitOfWaiting(_ all: [Status?]) -> Double? {
    if last.phase == .start { return limit(.start) }
    guard all.contains(where: { $0 == nil }) else { return limit(.collective) }
    var most = 0.0
    for phase in Phase.allCases {
      guard let limit = limit(phase) else { return nil }
      most = max(most, limit)
    }
    return most
  }

  /// Seconds for which this rank leaves it to others to speak of `stall`: none where it is the first that still says something.
  ///
  /// Ranks that hear nothing of each other speak in turn; those that know who is to blame, as on its host, before the others.
  func patience(_ stall: Stall) -> Double {
    guard !stall.culprits.contains(rank) else { return 0 }
    guard stall.ranks.indices.contains(where: { $0 != rank && stall.ranks[$0] != nil }) else {
      return (stall.culprits.isEmpty ? Self.patience : 0) + min(Self.turn * Double(rank), Self.patience)
    }
    let isFirst = stall.ranks.firstIndex { ($0?.silent ?? .infinity) <= Self.silence } == rank
    return isFirst ? 0 : Self.patience
  }
}
