import Failures
import JSON
import MPI
import Online
import Parallel

/// The moments at which the ranks tell each other what they have learned.
///
/// Every rank takes part in each of them, in order. A rank that wants the next one asks the others by a message; one that has nothing to do
/// looks for messages about every millisecond, so that a source that is slow, or at its end, holds nobody up, and nobody burns the
/// processor while nothing comes.
struct Combination: ~Copyable {
  private static let tag = 7

  let world: Communicator
  /// Counts them; a message that asks for an earlier one is out of date.
  private(set) var number = 0
  /// What is summed with a step.
  private var step = StepSum()

  /// - Parameter world: used by nobody else.
  init(_ world: consuming Communicator) { self.world = world }

  var ranks: Int { world.size }

  /// Whether another rank has asked for the next one.
  func isAskedFor() throws(MPIError) -> Bool {
    var isAsked = false
    while ranks > 1, let other = try world.waitingMessage(tag: Self.tag) {
      let asked: [Int64] = try world.receive(from: other, tag: Self.tag)
      if let asked = asked.first, asked >= Int64(number) { isAsked = true }
    }
    return isAsked
  }

  /// Asks the other ranks for the next one.
  func ask() throws(MPIError) {
    let message = [Int64(number)]
    for other in 0..<ranks where other != world.rank { try world.send(message.span, to: other, tag: Self.tag) }
  }

  /// Tells the others `report` and hears theirs. Collective.
  mutating func exchange(_ report: RankReport) throws(MPIError) -> [RankReport] {
    number += 1
    guard ranks > 1 else { return [report] }
    return try world.allGather(report.encoded).map { RankReport(encoded: $0) }
  }

  /// Adds the gradients of all ranks to that of each learner, and `own` of all ranks. Collective.
  mutating func sum(_ own: StepSum.Totals, _ learner: OnlineLearner, _ fresh: OnlineLearner?) throws(MPIError)
    -> StepSum.Totals
  {
    number += 1
    return try step.sum(own, learner, fresh, world)
  }

  /// Gives each learner what all ranks have learned. Collective.
  /// - Parameter rows: that this rank has learned since the last time, and all ranks together.
  func combine(_ shared: SharedLearner, rows: (own: Double, all: Double)) throws(MPIError) {
    guard ranks > 1, rows.all > 0, shared.learner.combines != .evidence else { return }
    try shared.combine(world, share: Float(rows.own / rows.all))
  }

  /// Gives each learner the statistics of all. Collective.
  func shareEvidence(_ learner: OnlineLearner) throws {
    guard ranks > 1 else { return }
    let evidence = try world.allGather(learner.takeEvidence())
    try Agreement.alike { try learner.absorb(evidence) }
  }

  /// The findings of rank 0. Collective.
  func fromRoot(_ findings: DriftFindings) throws(MPIError) -> DriftFindings {
    DriftFindings(encoded: try world.broadcast(findings.encoded, root: 0))
  }

  /// Rank 0 takes over the rows that the other ranks have kept. Collective; all ranks have a sample, or none.
  func collect(_ sample: inout StreamSample?) throws(MPIError) {
    if ranks > 1 { try sample?.collect(world) }
  }

  /// The classes that rows of all ranks wait for, in the order of the ranks. Collective.
  func share(_ classes: [ClassLabel]) throws -> [ClassLabel] {
    let own = JSONValue.array(classes.map(\.json)).serialized(pretty: false)
    return try Agreement.gathering(world) { Array(own.utf8) }.flatMap { bytes in
      (try JSONNode(parsing: bytes, dialect: .json).asArray ?? []).compactMap { ClassLabel($0.value) }
    }
  }

  /// Runs `body` on rank 0, which has what `own` gives on the other ranks, by rank. Collective.
  func gather(_ own: () throws -> [UInt8], _ body: ([[UInt8]]) throws -> Void) throws {
    let all = try Agreement.gathering(world) { world.rank == 0 ? [] : try own() }
    _ = try Agreement.fromRoot(world) {
      try body(Array(all.dropFirst()))
      return []
    }
  }
}
