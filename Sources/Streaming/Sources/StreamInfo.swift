import Redis

/// What a server says of a stream as a whole (XINFO STREAM).
struct StreamInfo: Equatable {
  /// Entries that are there.
  var entries: Int
  /// Entries that ever were.
  var added: Int
  /// The last one that was ever added.
  var last: EntryID
  /// The first one that is there.
  var first: EntryID?

  init(entries: Int, added: Int, last: EntryID, first: EntryID?) {
    self.entries = entries
    self.added = added
    self.last = last
    self.first = first
  }

  /// Nil where the answer has not what servers say from 7.0 on.
  init?(_ reply: RedisReply) {
    func id(_ name: String) -> EntryID? { reply.member(name).flatMap { reply.text($0) }.flatMap { EntryID($0) } }
    guard let entries = reply.member("length").flatMap({ reply.integer($0) }), entries >= 0,
      let added = reply.member("entries-added").flatMap({ reply.integer($0) }), added >= entries,
      let last = id("last-generated-id")
    else { return nil }
    self.entries = entries
    self.added = added
    self.last = last
    // An array of the id and the fields, or nothing.
    first = reply.member("first-entry").flatMap { reply.text($0 + 1) }.flatMap { EntryID($0) }
    if entries == 0 { first = nil }
  }

  /// Entries behind `mark` that are gone, and so will never be read: as many as are known to be.
  func gone(behind mark: EntryMark) -> Int {
    guard let number = mark.number else { return 0 }
    if last == mark.id || entries == 0 { return max(0, added - number) }
    // Whatever is gone from the beginning was there before the first.
    if let first, first > mark.id { return max(0, added - entries - number) }
    return 0
  }
}
