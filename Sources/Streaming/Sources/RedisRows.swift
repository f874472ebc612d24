import Failures
import Files
import Redis
import Text

/// Rows of a stream of Redis, as another thread reads them.
///
/// The server's consumer group stands at the last entry that is in a checkpoint, and nowhere else: entries are read by their ids (XREAD),
/// whoever else has the group, and an acknowledgement moves the group (XGROUP SETID). So the server keeps no list of entries under way,
/// and a restart has nothing to claim: it reads what is behind the checkpoint's id.
final class RedisRows {
  private let reading: RedisReading
  private let thread: Thread
  private var row: EntryRow
  private var block: EntryBlock?
  /// The next entry of the block.
  private var entry = 0
  /// The last entry that was handed out.
  private(set) var mark: EntryMark?
  private(set) var hasEnded = false

  /// At the end the server hears of the last checkpoint, if it listens.
  private static let farewell = Duration.seconds(2)

  /// - Parameter mark: behind which to go on; nil where the settings say.
  /// - Throws: `Failure` where the password cannot be read.
  init(
    _ address: RedisAddress, settings: RedisSettings, schema: RowSchema, follows: Bool, mark: EntryMark?
  ) throws {
    self.mark = mark
    row = EntryRow(schema)
    let reading = try RedisReading(address, settings: settings, follows: follows, mark: mark)
    self.reading = reading
    thread = try Thread("apus redis") { reading.run() }
  }

  deinit { reading.state.withLock { $0.isStopped = true } }

  /// Rings when there is something to read.
  var stream: ByteStream { reading.bell.stream }

  /// When the entries that were read last had arrived.
  var arrived: ContinuousClock.Instant { block?.arrived ?? .now }

  /// Entries that the server has and nobody has handed out; nil where that is not known.
  var rowsLeft: Int? {
    guard let number = mark?.number, let added = reading.state.withLock({ $0.added }) else { return nil }
    return max(0, added - number)
  }

  /// What the user should know since the last time.
  func takeWarnings() -> [String] {
    reading.state.withLock { state in
      defer { state.warnings = [] }
      return state.warnings
    }
  }

  /// The names of the features, once they are known.
  func columns() throws -> [String]? {
    if let columns = row.columns { return columns }
    guard try hasEntry() == .row, let block else { return nil }
    for index in entry..<block.entries.count where row.open(block, index) { break }
    return row.columns
  }

  /// The features are these, whatever the order in which the first entry has them.
  func settle(_ columns: [String]) { row.settle(columns) }

  /// The classes are these from now on.
  func know(classes: [String]) { row.know(classes: classes) }

  /// Goes on to the next row.
  func next(
    into values: inout MutableSpan<Float>, at place: Int, target: inout Float, time: inout Double
  ) throws -> SourceEvent {
    let event = try hasEntry()
    guard event == .row, let block else { return event }
    defer { entry += 1 }
    mark = block.mark(after: entry)
    return row.read(block, entry, into: &values, at: place, target: &target, time: &time)
  }

  /// Makes sure that there is an entry to hand out.
  private func hasEntry() throws -> SourceEvent {
    if let block, entry < block.entries.count { return .row }
    reading.bell.silence()
    let (next, failure, isOver) = reading.state.withLock { state in
      (state.blocks.isEmpty ? nil : state.blocks.removeFirst(), state.failure, state.hasEnded)
    }
    guard let next else {
      if let failure { throw failure }
      hasEnded = isOver
      return isOver ? .end : .nothing
    }
    (block, entry) = (next, 0)
    return .row
  }

  /// The entries that were handed out are in a checkpoint.
  func acknowledge() {
    guard let mark else { return }
    reading.state.withLock { $0.saved = mark }
  }

  /// Waits until the server knows of the last checkpoint; returns whether it does.
  func isAcknowledged() -> Bool {
    reading.state.wait(
      atMost: Self.farewell, until: { $0.saved == nil || $0.failure != nil }, then: { $0.saved == nil }) ?? false
  }
}
