public import Files

/// Two threads that notice when this rank or another does not go on: one judges, the other tells the other ranks through a file and may
/// itself hang with the file system.
///
/// The watched thread says what it does through `Pulse`. A stopped process can say nothing: the others know its last beat.
public final class Watchdog: Sendable {
  private struct State {
    var hasEnded = false
    /// Where the ranks tell each other; nil before the run has its directory.
    var file: BeatFile?
    var own: Beat
    /// What all have said last, while this rank wants to know.
    var beats: [Beat?] = []
    var wantsBeats = false
  }

  /// Between two looks, and between two beats.
  private static let look = Duration.milliseconds(250)
  private static let beat = Duration.seconds(1)
  /// Seconds of standing still after which the others are asked for; less is everyday life.
  private static let idle = 1.0
  /// Seconds that ranks which do not speak first wait for the end.
  private static let patience = 2.5

  private let state: Monitor<State>
  private let rank: Int
  private let ranks: Int
  private let judging: Thread
  private let telling: Thread

  /// Starts to watch the calling thread.
  /// - Parameters:
  ///   - members: where each rank runs, by rank.
  ///   - raise: ends all ranks, once it has written the report that it is given. Called on a thread of its own.
  /// - Throws: `FilesError` where a thread cannot be started.
  public init(
    deadlines: Deadlines, rank: Int, members: [Member], raise: @escaping @Sendable (String) -> Void
  ) throws(FilesError) {
    Pulse.begin()
    let judge = StallJudge(
      rank: rank, ranks: members.count, deadlines: deadlines, reading: Pulse.reading, now: Self.now)
    let state = Monitor(State(own: judge.beat(now: Self.now)))
    self.state = state
    self.rank = rank
    ranks = members.count
    judging = try Thread("apus-watchdog") { Self.judge(judge, state, members, raise) }
    do {
      telling = try Thread("apus-beats") { Self.tell(rank, state) }
    } catch {
      state.withLock { $0.hasEnded = true }
      throw error
    }
  }

  deinit { state.withLock { $0.hasEnded = true } }

  /// From now on the ranks tell each other what they do through a file in `directory`. Rank 0 makes it, before the others call this.
  /// - Parameter name: of the file, where several jobs may share the directory.
  /// - Throws: `FilesError` where the file cannot be made.
  public func share(in directory: String, as name: String = BeatFile.name) throws(FilesError) {
    guard ranks > 1 else { return }
    let file = BeatFile(FileSystem.join(directory, name), ranks: ranks)
    if rank == 0 { try file.create() }
    // A rank may stop before its first beat is due.
    try file.write(
      state.withLock { state in
        state.file = file
        return state.own
      }, rank: rank)
  }

  /// Ends the watch: what follows may take any time. The file goes with rank 0.
  public func end() {
    let file = state.withLock { state in
      state.hasEnded = true
      return state.file
    }
    if rank == 0, let file { try? FileSystem.remove(file.path) }
  }

  private static var now: Double { (SuspendingClock.now - origin) / .seconds(1) }
  private static let origin = SuspendingClock.now

  /// Waits for `time`; false where the watch has ended.
  private static func goesOn(after time: Duration, _ state: Monitor<State>) -> Bool {
    state.wait(atMost: time, until: { $0.hasEnded }, then: { _ in false }) ?? true
  }

  private static func judge(
    _ first: StallJudge, _ state: Monitor<State>, _ members: [Member], _ raise: (String) -> Void
  ) {
    var judge = first
    var stalledSince: Double?
    while goesOn(after: look, state) {
      let now = now
      judge.observe(Pulse.reading, now: now)
      let own = judge.beat(now: now)
      let wantsBeats = own.idle > idle
      let beats = state.withLock { state in
        state.own = own
        state.wantsBeats = wantsBeats
        if !wantsBeats { state.beats = [] }
        return state.beats
      }
      judge.observe(beats, stopped: beats.isEmpty ? [] : stopped(members), now: now)
      guard let stall = judge.stall(now: now) else {
        stalledSince = nil
        continue
      }
      let since = stalledSince ?? now
      stalledSince = since
      if judge.speaksFirst(stall) || now - since > patience { return raise(stall.text(members)) }
    }
  }

  /// The ranks of this host whose processes are stopped.
  private static func stopped(_ members: [Member]) -> Set<Int> {
    Set(members.indices.filter { members[$0].state?.isStopped == true })
  }

  private static func tell(_ rank: Int, _ state: Monitor<State>) {
    while goesOn(after: beat, state) {
      let (file, own, wantsBeats) = state.withLock { ($0.file, $0.own, $0.wantsBeats) }
      guard let file else { continue }
      // A file system that fails now and then is no reason to end: the others see a silent rank.
      try? file.write(own, rank: rank)
      guard wantsBeats, let beats = try? file.read() else { continue }
      state.withLock { if $0.wantsBeats { $0.beats = beats } }
    }
  }
}
