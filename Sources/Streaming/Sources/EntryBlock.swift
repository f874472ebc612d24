import Redis

/// Entries of a stream of Redis that came in one answer.
struct EntryBlock: Sendable {
  let reply: RedisReply
  /// The part of each entry that is its id; its fields follow.
  let entries: [Int]
  let ids: [EntryID]
  /// The mark before the first of them.
  let before: EntryMark
  /// When they had come.
  let arrived: ContinuousClock.Instant

  /// - Returns: nil where the server says that there is nothing.
  /// - Throws: `RedisError` where its answer is not that of XREAD, or goes back.
  init?(
    _ reply: RedisReply, after mark: EntryMark, server: String, arrived: ContinuousClock.Instant
  ) throws(RedisError) {
    guard reply.kind(0) != .nothing else { return nil }
    let odd = RedisError(.foreign, "what answers at \(server) is no Redis: its entries cannot be understood")
    // One stream: its key, and its entries.
    guard reply.count(0) == 1, reply.count(1) == 2, reply.kind(2) == .text, let count = reply.count(3) else {
      throw odd
    }
    var entries: [Int] = []
    var ids: [EntryID] = []
    var place = 4
    var last = mark.id
    for _ in 0..<count {
      guard reply.count(place) == 2, let id = reply.text(place + 1).flatMap({ EntryID($0) }), id > last,
        let fields = reply.count(place + 2), fields.isMultiple(of: 2)
      else { throw odd }
      for field in 0..<fields { guard reply.kind(place + 3 + field) == .text else { throw odd } }
      entries.append(place + 1)
      ids.append(id)
      last = id
      place += 3 + fields
    }
    guard count > 0 else { return nil }
    self.reply = reply
    self.entries = entries
    self.ids = ids
    before = mark
    self.arrived = arrived
  }

  /// The mark behind entry `index`.
  func mark(after index: Int) -> EntryMark {
    EntryMark(id: ids[index], number: before.number.map { $0 + index + 1 }, missing: before.missing)
  }
}
