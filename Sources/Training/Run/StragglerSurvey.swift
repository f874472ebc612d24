import Files
import MPI
import Parallel

/// Compares now and then how long the ranks take for their rows.
///
/// The ranks meet after a number of steps that they agree on, so that the steps between cost nothing: the first ten, then as many as the
/// job's seconds are worth.
public final class StragglerSurvey {
  private static let firstSteps = 10

  private let world: Communicator
  private let hosts: [String]
  private let everySeconds: Double
  private let group: Int
  private let share: Int
  private let spent: () -> (reading: Double, others: Double)
  private let clock = ContinuousClock()

  private var next = 0
  private var last = 0
  private var lastSpent = (reading: 0.0, others: 0.0)
  private var worked = 0.0
  private var workingSince: ContinuousClock.Instant
  private var slowBefore: Set<Int> = []

  /// Collective.
  /// - Parameters:
  ///   - group: ranks with the same number do the same work.
  ///   - share: the virtual ranks that this one runs.
  ///   - spent: seconds so far of this rank that it read, and that it waited for others.
  init(
    everySeconds: Double, world: borrowing Communicator, group: Int, share: Int,
    spent: @escaping () -> (reading: Double, others: Double)
  ) throws {
    self.everySeconds = everySeconds
    self.world = try world.duplicate()
    self.group = group
    self.share = share
    self.spent = spent
    hosts = try world.allGather(Array(Machine.hostName.utf8)).map { String(decoding: $0, as: UTF8.self) }
    workingSince = clock.now
  }

  func begin(after step: Int) {
    start(step)
    next = step + Self.firstSteps
  }

  private func start(_ step: Int) {
    last = step
    worked = 0
    lastSpent = spent()
    workingSince = clock.now
  }

  /// Something that is not training begins, and ends.
  func pause() { worked += (clock.now - workingSince) / .seconds(1) }
  func resume() { workingSince = clock.now }

  /// The ranks that are slow; nil where nothing is compared after this step. Collective; the same on every rank.
  func compare(after step: Int) throws -> [Straggler]? {
    guard step >= next else { return nil }
    pause()
    let now = spent()
    let reading = now.reading - lastSpent.reading
    let computing = max(0, worked - reading - (now.others - lastSpent.others))
    let gathered = try world.allGather([Double(group), Double(share), reading, computing, worked])
    let times = gathered.map {
      Straggler.Times(group: Int($0[0]), share: Int($0[1]), reading: $0[2], computing: $0[3], elapsed: $0[4])
    }
    // The clock of rank 0 says for all when they meet again.
    let stepSeconds = max(times[0].elapsed / Double(max(step - last, 1)), 1e-9)
    let isFirst = next == last + Self.firstSteps
    start(step)
    next = step + max(1, Int(min(everySeconds / stepSeconds, 1e12)))
    // The first steps warm up.
    guard !isFirst else { return nil }
    let slow = Straggler.find(in: times)
    defer { slowBefore = Set(slow.map(\.rank)) }
    return slow.map { found in
      Straggler(
        rank: found.rank, host: hosts[found.rank], ratio: found.ratio, phase: found.phase,
        isNew: !slowBefore.contains(found.rank))
    }
  }
}
