import Failures
import Files
import Redis
import Text

/// What the thread does that reads a stream of Redis, beside the one that learns.
///
/// It reads ahead of the learning by a few blocks, says to the server what is in checkpoints, and comes back to a server that was away.
/// Only `state` is touched by both threads.
final class RedisReading: @unchecked Sendable {
  /// What the two threads tell each other.
  struct State: Sendable {
    /// Entries that are to be learned.
    var blocks: [EntryBlock] = []
    /// Entries that ever were in the stream, as far as is known.
    var added: Int?
    /// Nothing comes any more.
    var hasEnded = false
    /// Why nothing comes any more.
    var failure: Failure?
    /// What the user should know.
    var warnings: [String] = []
    /// How far the entries are in a checkpoint, which the server is to know.
    var saved: EntryMark?
    /// The thread is to end.
    var isStopped = false
  }

  private enum Task {
    case read
    case acknowledge(EntryMark)
  }

  let state = Monitor(State())
  let bell: Bell

  private let address: RedisAddress
  private let settings: RedisSettings
  private let follows: Bool
  private let password: String?

  /// The last entry that was read; nil before it is known where to begin.
  private var mark: EntryMark?
  /// What was in a checkpoint before the last one, and may be taken away.
  private var trimmable: EntryMark?
  /// The server ends before `mark`.
  private var isBehind = false
  private var looked: ContinuousClock.Instant?
  /// Entries of the next request.
  private var count = 64
  private var hasWarnedOfGroup = false

  private static let connecting = Duration.seconds(5)
  private static let answering = Duration.seconds(5)
  /// So long the server keeps a request to which there is no answer yet; then there is a look at what else there is to do.
  private static let blocking = 100
  /// Bytes of an answer that are asked for, as far as the last one tells.
  private static let blockBytes = 1 << 20
  private static let mostEntries = 1 << 13
  private static let mostBlocks = 4
  private static let lookInterval = Duration.milliseconds(500)
  private static let pauses = (first: Duration.milliseconds(50), longest: Duration.seconds(2))

  /// - Parameter mark: behind which to go on; nil where the settings say.
  /// - Throws: `FilesError` where the password cannot be read.
  init(
    _ address: RedisAddress, settings: RedisSettings, follows: Bool, mark: EntryMark?
  ) throws(FilesError) {
    self.address = address
    self.settings = settings
    self.follows = follows
    self.mark = mark
    trimmable = mark
    bell = try Bell()
    password = try Self.password(settings)
  }

  private static let environment = "REDISCLI_AUTH"

  private static func password(_ settings: RedisSettings) throws(FilesError) -> String? {
    guard let path = settings.passwordFile else { return Machine.environment(environment) }
    let bytes = try FileSystem.read(path, limit: 1 << 16)
    return String(decoding: bytes.prefix { $0 != UInt8(ascii: "\n") && $0 != UInt8(ascii: "\r") }, as: UTF8.self)
  }

  /// The stream, for people.
  private var name: String { "'\(address.key)' at \(address.server)" }

  // MARK: Life

  func run() {
    var since: ContinuousClock.Instant?
    var pause = Self.pauses.first
    while !state.withLock({ $0.isStopped }) {
      do {
        try converse {
          guard let gone = since else { return }
          warn("\(address.server) is back after \(duration((.now - gone) / .seconds(1)))")
          (since, pause) = (nil, Self.pauses.first)
        }
      } catch let error as RedisError where error.isPassing {
        let now = ContinuousClock.now
        if since == nil { warn("\(error); trying again for up to \(Self.words(settings.patience))") }
        let left = settings.patience - (now - (since ?? now))
        since = since ?? now
        guard left > .zero else {
          return fail(
            Failure(
              .unavailable, "\(error), and has not come back for \(Self.words(settings.patience))",
              hint: "redis.patience is how long a server may be away"))
        }
        _ = state.wait(atMost: min(pause, left), until: { $0.isStopped }, then: { _ in true })
        pause = min(pause * 2, Self.pauses.longest)
      } catch {
        return fail((error as? RedisError).map(failure) ?? Failure(error))
      }
    }
  }

  private static func words(_ time: Duration) -> String { duration(time / .seconds(1)) }

  private func fail(_ failure: Failure) {
    state.withLock { $0.failure = failure }
    bell.ring()
  }

  private func warn(_ message: String) {
    state.withLock { $0.warnings.append(message) }
    bell.ring()
  }

  private func failure(_ error: RedisError) -> Failure {
    let message = "the stream \(name) cannot be read: \(error)"
    guard case .refused(let word) = error.kind else { return Failure(.unavailable, message) }
    switch word {
    case "NOAUTH", "WRONGPASS":
      return Failure(
        .permission, message, hint: "redis.password_file, or the variable \(Self.environment), gives the password")
    case "NOPERM":
      return Failure(.permission, message, hint: "the user needs XREAD, XINFO and XGROUP, and with redis.trim XTRIM")
    case "WRONGTYPE":
      return Failure(.invalidData, "the key \(name) holds no stream: \(error)", hint: "XADD makes streams")
    case "MOVED", "ASK":
      return Failure(.unavailable, message, hint: "name the node of the cluster that has the key")
    case "READONLY": return Failure(.unavailable, message, hint: "name the primary, not a replica")
    default: return Failure(.unavailable, message)
    }
  }

  /// Connects, and does what there is to do until nothing is.
  private func converse(_ isReady: () -> Void) throws {
    let server = try RedisConnection(
      to: address, password: password, timeout: Self.connecting, patience: Self.answering)
    looked = nil
    try prepare(server)
    isReady()
    while let task = nextTask() {
      switch task {
      case .acknowledge(let mark):
        try acknowledge(mark, server)
        state.withLock { if $0.saved == mark { $0.saved = nil } }
      case .read: try read(server)
      }
    }
  }

  private func nextTask() -> Task? {
    state.wait(
      until: { $0.isStopped || $0.saved != nil || !$0.hasEnded && $0.blocks.count < Self.mostBlocks },
      then: { state in
        if let saved = state.saved { return .acknowledge(saved) }
        return state.isStopped ? nil : .read
      })
  }

  // MARK: Where to begin

  /// Makes sure that there is a stream, a group of it, and a place to go on from.
  private func prepare(_ server: RedisConnection) throws {
    var info = try look(server)
    if info == nil {
      guard follows else {
        throw Failure(
          .missingInput, "there is no stream \(name)", hint: "stream.follow waits for sources that come later")
      }
      try makeGroup(server, at: mark?.id ?? .zero)
      info = try look(server)
    }
    // Without memory for a group there is no stream yet.
    let known = info ?? StreamInfo(entries: 0, added: 0, last: .zero, first: nil)
    let group = info == nil ? nil : try group(server)
    if mark == nil {
      mark =
        switch settings.start {
        case .beginning: EntryMark(id: .zero, number: known.added - known.entries)
        case .group: group ?? EntryMark(id: known.last, number: known.added)
        }
    }
    if info != nil, group == nil, let mark { try makeGroup(server, at: mark.id) }
    try judge(known)
  }

  /// What the server says of the stream; nil where there is none.
  private func look(_ server: RedisConnection) throws -> StreamInfo? {
    try server.send(["XINFO", "STREAM", address.key])
    return try receiveInfo(server)
  }

  private func receiveInfo(_ server: RedisConnection) throws -> StreamInfo? {
    looked = .now
    let reply = try server.receive()
    if reply.kind(0) == .error {
      let error = server.refusal(reply)
      guard Self.isMissing(error) else { throw error }
      return nil
    }
    guard let info = StreamInfo(reply) else {
      throw Failure(
        .unavailable, "\(address.server) does not count the entries of \(address.key)",
        hint: "Apus needs Redis 7.0, or a later one, or Valkey")
    }
    return info
  }

  private static func isMissing(_ error: RedisError) -> Bool {
    error.kind == .refused("ERR")
      && (error.description.contains("no such key") || error.description.contains("to exist"))
  }

  /// Where the group stands; nil where there is none.
  private func group(_ server: RedisConnection) throws(RedisError) -> EntryMark? {
    let reply = try server.ask(["XINFO", "GROUPS", address.key])
    var place = 1
    for _ in 0..<(reply.count(0) ?? 0) {
      if reply.member("name", of: place).flatMap({ reply.text($0) }) == settings.group {
        let last = reply.member("last-delivered-id", of: place).flatMap { reply.text($0) }.flatMap { EntryID($0) }
        return EntryMark(
          id: last ?? .zero, number: reply.member("entries-read", of: place).flatMap { reply.integer($0) })
      }
      place = reply.end(of: place)
    }
    return nil
  }

  private func makeGroup(_ server: RedisConnection, at id: EntryID) throws(RedisError) {
    do throws(RedisError) {
      _ = try server.ask(["XGROUP", "CREATE", address.key, settings.group, "\(id)", "MKSTREAM"])
    } catch {
      // Somebody else was faster.
      guard error.kind != .refused("BUSYGROUP") else { return }
      try passOver(error)
    }
  }

  /// A server that has no room for a group has entries nevertheless.
  private func passOver(_ error: RedisError) throws(RedisError) {
    guard [.refused("OOM"), .refused("MISCONF")].contains(error.kind) else { throw error }
    if !hasWarnedOfGroup { warn("the group '\(settings.group)' of \(name) is not kept: \(error)") }
    hasWarnedOfGroup = true
  }

  // MARK: Reading

  private func read(_ server: RedisConnection) throws {
    guard let mark else { return }
    let now = ContinuousClock.now
    let looks = isBehind || mark.number == nil || looked.map { now - $0 >= Self.lookInterval } ?? true
    if looks { try server.send(["XINFO", "STREAM", address.key]) }
    let block = follows ? ["BLOCK", "\(Self.blocking)"] : []
    try server.send(["XREAD", "COUNT", "\(count)"] + block + ["STREAMS", address.key, "\(mark.id)"])
    if looks {
      // A stream that is no more has ended with nothing.
      try judge(try receiveInfo(server) ?? StreamInfo(entries: 0, added: 0, last: .zero, first: nil))
    }
    let reply = try server.receive()
    guard reply.kind(0) != .error else { throw server.refusal(reply) }
    guard let place = self.mark,
      let found = try EntryBlock(reply, after: place, server: address.server, arrived: .now)
    else {
      if !follows { end() }
      return
    }
    let last = found.mark(after: found.entries.count - 1)
    self.mark = last
    count = min(max(1, Self.blockBytes / max(1, reply.bytes.count / found.entries.count)), Self.mostEntries)
    state.withLock { state in
      state.blocks.append(found)
      if let number = last.number { state.added = max(state.added ?? 0, number) }
    }
    bell.ring()
  }

  private func end() {
    state.withLock { $0.hasEnded = true }
    bell.ring()
  }

  /// Notices what is not as it should be behind `mark`, before anything behind it is read.
  private func judge(_ info: StreamInfo) throws {
    guard var mark else { return }
    defer { self.mark = mark }
    state.withLock { $0.added = info.added }
    guard info.last >= mark.id else {
      if !isBehind { warn(Self.lostTail(name, info, mark)) }
      isBehind = true
      mark.number = info.added
      return
    }
    if isBehind {
      // Entries that came again are among those that the server has counted since.
      isBehind = false
      mark.number = nil
    }
    // A count that is above that of the server is of a stream that was there before.
    if let number = mark.number, number > info.added { mark.number = nil }
    if info.last == mark.id, mark.number == nil { mark.number = info.added }
    let gone = info.gone(behind: mark)
    guard gone > 0 else { return }
    let what = "\(grouped(gone)) \(gone == 1 ? "entry" : "entries") of \(name) behind \(mark.id)"
    guard settings.missing == .warn else {
      throw Failure(
        .invalidData, "\(what) \(gone == 1 ? "was" : "were") gone before a rank had read \(gone == 1 ? "it" : "them")",
        hint: "let the writer keep more (XADD ... MAXLEN), or go on without them: redis.missing")
    }
    warn("\(what) \(gone == 1 ? "was" : "were") trimmed or deleted unread; the log counts them as missing")
    mark.missing += gone
    mark.number = mark.number.map { $0 + gone }
  }

  private static func lostTail(_ name: String, _ info: StreamInfo, _ mark: EntryMark) -> String {
    let lost = mark.number.map { $0 - info.added } ?? 0
    return "\(name) ends with \(info.last), and entries up to \(mark.id) are learned: the server has lost its tail"
      + "\(lost > 0 ? " (\(grouped(lost)) entries)" : ""), or the stream was made anew; only what comes behind \(mark.id) is learned"
  }

  // MARK: What is in a checkpoint

  /// Tells the server that entries up to `mark` are in a checkpoint.
  private func acknowledge(_ mark: EntryMark, _ server: RedisConnection) throws(RedisError) {
    let number = mark.number.map { ["ENTRIESREAD", "\($0)"] } ?? []
    do throws(RedisError) {
      _ = try server.ask(["XGROUP", "SETID", address.key, settings.group, "\(mark.id)"] + number)
    } catch {
      if error.kind == .refused("NOGROUP") {
        try makeGroup(server, at: mark.id)
      } else if !Self.isMissing(error) {
        try passOver(error)
      }
    }
    // What only the newest checkpoint holds stays, for the case that it cannot be read.
    if settings.trims, let trimmable {
      _ = try server.ask(["XTRIM", address.key, "MINID", "\(trimmable.id)"])
    }
    trimmable = mark
  }
}
