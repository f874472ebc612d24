import Glibc
import Synchronization

/// What the main thread does, for a thread that watches it.
///
/// Telling it costs a store or two, and no look at a clock: the watching thread notes when it last saw a change.
public enum Pulse {
  /// Counts changes above the lowest 16 bits; below are the phase and whether it waits for other ranks.
  private static let word = Atomic<UInt64>(0)
  private static let steps = Atomic<Int>(0)
  /// The thread that is watched; 0 before there is one.
  private static let thread = Atomic<UInt>(0)

  private static let change: UInt64 = 1 << 16
  private static let waits: UInt64 = 1 << 8
  private static let phaseBits: UInt64 = 0xFF

  /// What the watched thread did at a moment.
  struct Reading: Equatable {
    fileprivate let word: UInt64
    let step: Int

    var phase: Phase { Phase(rawValue: UInt8(truncatingIfNeeded: word & Pulse.phaseBits)) ?? .start }
    var isWaiting: Bool { word & Pulse.waits != 0 }

    fileprivate init(word: UInt64, step: Int) {
      self.word = word
      self.step = step
    }

    init(phase: Phase, isWaiting: Bool, step: Int) {
      self.init(word: UInt64(phase.rawValue) | (isWaiting ? Pulse.waits : 0), step: step)
    }
  }

  /// The calling thread is the one that is watched, and it starts.
  public static func begin() {
    thread.store(UInt(pthread_self()), ordering: .relaxed)
    enter(.start)
  }

  /// `steps` updates are done. A store.
  @inline(__always)
  public static func note(steps: Int) { Self.steps.store(steps, ordering: .relaxed) }

  /// The watched thread goes over to `phase`, or goes on in it.
  public static func enter(_ phase: Phase) {
    let before = word.load(ordering: .relaxed)
    word.store((before & ~(change - 1)) &+ change | UInt64(phase.rawValue), ordering: .relaxed)
  }

  /// Runs `body` as `phase`, and goes back to what was before.
  public static func during<Result: ~Copyable, Failure: Error>(
    _ phase: Phase, _ body: () throws(Failure) -> Result
  ) throws(Failure) -> Result {
    let before = begin(phase)
    defer { end(before) }
    return try body()
  }

  /// Goes over to `phase`; returns what `end` goes back to. On other threads than the watched one both do nothing.
  public static func begin(_ phase: Phase) -> Phase? {
    guard isWatched else { return nil }
    let before = reading.phase
    enter(phase)
    return before
  }

  public static func end(_ before: Phase?) {
    if let before { enter(before) }
  }

  /// Runs `body`, which only other ranks can end. On other threads than the watched one it does nothing more.
  @inline(__always)
  public static func whileWaiting<Result>(_ body: () -> Result) -> Result {
    guard isWatched else { return body() }
    setWaiting(waits)
    defer { setWaiting(0) }
    return body()
  }

  private static func setWaiting(_ bit: UInt64) {
    let before = word.load(ordering: .relaxed)
    word.store((before & ~waits) &+ change | bit, ordering: .relaxed)
  }

  @inline(__always)
  private static var isWatched: Bool { thread.load(ordering: .relaxed) == UInt(pthread_self()) }

  static var reading: Reading {
    Reading(word: word.load(ordering: .relaxed), step: steps.load(ordering: .relaxed))
  }
}
