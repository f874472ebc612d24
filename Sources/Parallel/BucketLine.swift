import Files
import MPI
import Watch

/// The buckets of a step in the order in which they go to other ranks, between the thread that computes and the one that talks.
final class BucketLine: @unchecked Sendable {
  /// How long the thread that talks sleeps where no message has come and the other one computes. (A message of a bucket takes about ten
  /// times as long on a link of one gigabit a second.)
  private static let pause: Duration = .microseconds(50)

  /// Touched by the thread that talks from `hand` until `collect`, otherwise by the other one.
  let buckets: [GradientBucket]
  /// All ranks start a communicator's operations in the same order; those of the two halves of an exchange come in no fixed one.
  private let scattering: Communicator
  private let gathering: Communicator
  private let state = Monitor(State())
  /// Buckets collected so far.
  private var collected = 0

  private struct State {
    /// Buckets handed over, and summed, since the beginning.
    var handed = 0
    var summed = 0
    var failure: MPIError?
    /// The thread that computes waits, and needs no core.
    var isAwaited = false
    var isOver = false
  }

  /// Collective.
  init(_ buckets: [GradientBucket], over communicator: borrowing Communicator) throws(MPIError) {
    self.buckets = buckets
    scattering = try communicator.duplicate()
    gathering = try communicator.duplicate()
  }

  // MARK: The thread that computes

  /// Gives the next bucket to the other thread.
  func hand() {
    state.withLock {
      $0.handed += 1
      $0.isAwaited = false
    }
  }

  /// Waits for the next bucket's sum.
  func collect() throws(MPIError) {
    let next = collected
    let failure = Pulse.whileWaiting {
      state.withLock { $0.isAwaited = true }
      return state.wait(until: { $0.summed > next || $0.failure != nil }, then: { $0.failure })
    }
    if let failure { throw failure }
    collected += 1
  }

  /// Lets the other thread end, also where ranks that failed leave it waiting.
  func end() { state.withLock { $0.isOver = true } }

  // MARK: The thread that talks

  /// Exchanges buckets as they come, until the end.
  func run() {
    do throws(MPIError) {
      try exchange()
    } catch {
      state.withLock { $0.failure = error }
    }
  }

  private func exchange() throws(MPIError) {
    var (sent, added, summed) = (0, 0, 0)
    while let handed = next(after: sent, isIdle: summed == sent) {
      var hasMoved = false
      while sent < handed {
        try buckets[sent % buckets.count].startScattering(over: scattering)
        sent += 1
        hasMoved = true
      }
      while added < sent, try buckets[added % buckets.count].startGathering(over: gathering) {
        added += 1
        hasMoved = true
      }
      while summed < added, try buckets[summed % buckets.count].finish() {
        summed += 1
        hasMoved = true
        let count = summed
        state.withLock { $0.summed = count }
      }
      if !hasMoved { sleep(after: sent) }
    }
  }

  /// How many buckets have been handed over; waits for one where nothing is under way. Nil at the end.
  private func next(after sent: Int, isIdle: Bool) -> Int? {
    state.wait(until: { !isIdle || $0.isOver || $0.handed > sent }, then: { $0.isOver ? nil : $0.handed })
  }

  private func sleep(after sent: Int) {
    _ = state.wait(atMost: Self.pause, until: { $0.isOver || $0.isAwaited || $0.handed > sent }, then: { _ in })
  }
}
