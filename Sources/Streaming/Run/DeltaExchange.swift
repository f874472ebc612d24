import Kernels
import MPI
import Online
import Parallel

/// How ranks that go on without waiting for each other tell what they have learned: each of them all others (`asynchronous`), or rank 0,
/// which owns the parameters and answers with them (`central`; rank 0 learns from its own sources too).
///
/// A rank posts how its parameters changed since its last post. Each change counts once on every rank, with the same weight: the part
/// that its rows have in those of all ranks of late. `base` are parameters to which only such weighted changes were added; a rank's own
/// are those and what it has learned since its last post.
final class DeltaExchange {
  private enum Tag {
    static let post = 1
    static let change = 2
    static let confirmation = 3
    static let answer = 4
    static let parameters = 5
  }

  private let world: Communicator
  private let isCentral: Bool
  /// Posts that may be on their way to a rank.
  private let staleness: Int
  private var shares: RowShares
  /// The parameters of each learner, one behind the other.
  private var base = FloatBuffer(count: 0)
  private var change = FloatBuffer(count: 0)

  /// Posts of this rank, and how many of them each rank has taken in, as far as it has said.
  private var posts = 0
  private var confirmed: [Int]
  /// Posts of each rank that this one has taken in, and how many of them it has confirmed.
  private var taken: [Int]
  private var confirmedToOthers: [Int]
  private var numbersOnTheWay: [Sending<Double>] = []
  private var floatsOnTheWay: [Sending<Float>] = []

  /// - Parameters:
  ///   - world: used by nobody else.
  ///   - rows: that a rank learns between two posts.
  ///   - staleness: combinations that a rank is ahead of what another one has taken in at most.
  init(_ world: consuming Communicator, isCentral: Bool, rows: Int, staleness: Int) {
    // A worker that was answered has the newest parameters; one that was not waits.
    self.staleness = isCentral ? 1 : staleness
    self.isCentral = isCentral
    shares = RowShares(ranks: world.size, rows: rows)
    confirmed = [Int](repeating: 0, count: world.size)
    taken = confirmed
    confirmedToOthers = confirmed
    self.world = world
  }

  private var isServer: Bool { isCentral && world.rank == 0 }

  /// Those that this rank posts to.
  private var receivers: Range<Int> { isServer ? 0..<0 : isCentral ? 0..<1 : 0..<world.size }

  /// Whether no rank is too far behind for another post.
  var mayPost: Bool { receivers.allSatisfy { $0 == world.rank || posts - confirmed[$0] < staleness } }

  /// All ranks have equal learners now.
  func begin(_ learners: [OnlineLearner]) {
    let count = Self.placed(learners).last?.range.upperBound ?? 0
    if base.count != count {
      base = FloatBuffer(count: count)
      change = FloatBuffer(count: count)
    }
    takeBase(learners)
  }

  // MARK: Telling

  /// Tells the others what was learned since the last time.
  func post(_ report: RankReport, _ learners: [OnlineLearner]) throws {
    shares.note(world.rank, rows: report.rows)
    let evidence = learners.map { $0.takeEvidence() }
    for (learner, own) in zip(learners, evidence) { try learner.absorb([own]) }
    let weight = shares.share(of: world.rank)
    findChange(learners)
    if isCentral, !isServer {
      takeBase(learners)
    } else {
      let all = 0..<change.count
      Elementwise.scale(&change, all, by: Float(weight))
      Elementwise.add(change, all, to: &base, at: 0)
      giveBase(learners)
    }
    let receivers = receivers.filter { $0 != world.rank }
    let floats = receivers.isEmpty ? [] : change.values()
    for other in receivers {
      var report = report
      // The detectors of drift are on rank 0.
      if other != 0 { report.keepRowsAlone() }
      try send(Post(weight: weight, evidence: evidence, report: report).encoded, to: other, tag: Tag.post)
      try send(floats, to: other, tag: Tag.change)
    }
    posts += 1
  }

  private func send(_ message: [Double], to other: Int, tag: Int) throws(MPIError) {
    numbersOnTheWay.append(try Sending(message, to: other, tag: tag, world))
  }

  private func send(_ message: [Float], to other: Int, tag: Int) throws(MPIError) {
    if message.isEmpty { return }
    floatsOnTheWay.append(try Sending(message, to: other, tag: tag, world))
  }

  // MARK: Hearing

  /// Takes in what has come, without waiting.
  /// - Parameter hear: gets what other ranks report.
  /// - Returns: whether there was something.
  func take(_ learners: [OnlineLearner], _ hear: (RankReport) -> Void) throws -> Bool {
    var hasCome = false
    while let other = try world.waitingMessage(tag: Tag.post) {
      hear(try takePost(of: other, learners))
      hasCome = true
    }
    if isCentral {
      while try world.waitingMessage(tag: Tag.answer) != nil {
        try takeAnswer(learners)
        hasCome = true
      }
    } else {
      try exchangeConfirmations()
    }
    try numbersOnTheWay.removeAll { try $0.isDone() }
    try floatsOnTheWay.removeAll { try $0.isDone() }
    return hasCome
  }

  private func exchangeConfirmations() throws(MPIError) {
    for other in taken.indices where confirmedToOthers[other] < taken[other] {
      let message = [Int64(taken[other])]
      try world.send(message.span, to: other, tag: Tag.confirmation)
      confirmedToOthers[other] = taken[other]
    }
    while let other = try world.waitingMessage(tag: Tag.confirmation) {
      let count: [Int64] = try world.receive(from: other, tag: Tag.confirmation)
      confirmed[other] = max(confirmed[other], Int(count.first ?? 0))
    }
  }

  /// Waits for the next post of a rank.
  private func takePost(of other: Int, _ learners: [OnlineLearner]) throws -> RankReport {
    let post = Post(encoded: try world.receive(from: other, tag: Tag.post))
    try takeFloats(of: other, tag: Tag.change)
    shares.note(other, rows: post.report.rows)
    if isServer { Elementwise.scale(&change, 0..<change.count, by: Float(shares.share(of: other))) }
    Elementwise.add(change, 0..<change.count, to: &base, at: 0)
    addChange(learners)
    for (learner, evidence) in zip(learners, post.evidence) { try learner.absorb([evidence]) }
    taken[other] += 1
    if isServer {
      try send(learners.flatMap(\.knowledge), to: other, tag: Tag.answer)
      try send(base.values(), to: other, tag: Tag.parameters)
    }
    return post.report
  }

  /// Waits for what the server answers to a post.
  private func takeAnswer(_ learners: [OnlineLearner]) throws {
    let knowledge: [Double] = try world.receive(from: 0, tag: Tag.answer)
    try adopt(knowledge, learners)
    try takeFloats(of: 0, tag: Tag.parameters)
    // The server's, and what was learned since the post.
    let all = 0..<change.count
    Elementwise.add(base, all, times: -1, to: &change, at: 0)
    addChange(learners)
    Elementwise.add(change, all, to: &base, at: 0)
    confirmed[0] += 1
  }

  private func takeFloats(of other: Int, tag: Int) throws(MPIError) {
    guard change.count > 0 else { return }
    let floats: [Float] = try world.receive(from: other, tag: tag)
    change.copy(from: floats)
  }

  private func adopt(_ knowledge: [Double], _ learners: [OnlineLearner]) throws(OnlineError) {
    let count = knowledge.count / learners.count
    for (index, learner) in learners.enumerated() {
      try learner.adopt(Array(knowledge[index * count..<(index + 1) * count]))
    }
  }

  /// Takes in all that was posted; then every rank has the learners of rank 0, bit for bit. Collective.
  func settle(_ learners: [OnlineLearner], _ hear: (RankReport) -> Void) throws {
    let all = try world.allGather(posts)
    for other in all.indices where other != world.rank && (isServer || !isCentral) {
      while taken[other] < all[other] { hear(try takePost(of: other, learners)) }
    }
    if isCentral, !isServer {
      while confirmed[0] < posts { try takeAnswer(learners) }
    }
    for sending in numbersOnTheWay { try sending.wait() }
    for sending in floatsOnTheWay { try sending.wait() }
    numbersOnTheWay = []
    floatsOnTheWay = []
    confirmed = [Int](repeating: posts, count: world.size)
    confirmedToOthers = taken
    for (learner, _) in Self.placed(learners) { try world.broadcast(&learner.parameters, root: 0) }
    try adopt(try world.broadcast(learners.flatMap(\.knowledge), root: 0), learners)
    takeBase(learners)
  }

  // MARK: Parameters of the learners

  /// The learners whose parameters are combined, and where those of each lie; not `rls`, which is made of its rows.
  private static func placed(_ learners: [OnlineLearner]) -> [(learner: OnlineLearner, range: Range<Int>)] {
    var end = 0
    return learners.filter { $0.combines != .evidence }.map { learner in
      let start = end
      end += learner.parameters.count
      return (learner, start..<end)
    }
  }

  private static func copyParameters(of learners: [OnlineLearner], to buffer: inout FloatBuffer) {
    for (learner, range) in placed(learners) { buffer.copy(from: learner.parameters, to: range.lowerBound) }
  }

  private func takeBase(_ learners: [OnlineLearner]) { Self.copyParameters(of: learners, to: &base) }

  private func giveBase(_ learners: [OnlineLearner]) {
    for (learner, range) in Self.placed(learners) { learner.parameters.copy(from: base, range: range) }
  }

  /// What was learned since `base`, into `change`.
  private func findChange(_ learners: [OnlineLearner]) {
    Self.copyParameters(of: learners, to: &change)
    Elementwise.add(base, 0..<base.count, times: -1, to: &change, at: 0)
  }

  private func addChange(_ learners: [OnlineLearner]) {
    for (learner, range) in Self.placed(learners) { Elementwise.add(change, range, to: &learner.parameters, at: 0) }
  }
}
