import Data
import Files
import Preparation

/// Rows of a text: a pipe, or a file that may still grow.
final class TextRows {
  enum Input: ~Copyable {
    case stream(ByteStream)
    case file(CSVSource)
  }

  private enum Feed {
    case csv(CSVFeed)
    case lines(JSONLineFeed)
    /// Before the first bytes, of a text that does not say what it is.
    case unknown
  }

  private let name: String
  private var schema: RowSchema
  private let input: Input
  private let follows: Bool
  private var feed: Feed
  /// The byte of a file that is read next.
  private var readOffset = 0
  private var isWhole = false
  /// Where to go on once the header is known; nil where nothing was read before.
  private var start: Int?
  /// When the text that was read last had arrived, at the latest.
  private(set) var arrived = ContinuousClock.now

  private static let pieceBytes = 1 << 18

  /// - Parameters:
  ///   - format: nil finds out from the first byte.
  ///   - start: the byte at which the next row begins, where rows before it are done with.
  init(
    _ input: consuming Input, name: String, schema: RowSchema, format: SourceFormat?, follows: Bool, start: Int? = nil
  ) {
    self.input = input
    self.name = name
    self.schema = schema
    self.follows = follows
    self.start = start
    feed = .unknown
    if let format { feed = Self.feed(format, name, schema) }
  }

  private static func feed(_ format: SourceFormat, _ name: String, _ schema: RowSchema) -> Feed {
    format == .jsonLines
      ? .lines(JSONLineFeed(schema))
      : .csv(
        CSVFeed(
          name: name, columns: schema.columns, target: schema.target, classes: schema.classes,
          time: schema.time))
  }

  /// The pipe, to wait for.
  var stream: ByteStream? {
    switch input {
    case .stream(let stream): return stream
    case .file: return nil
    }
  }

  /// No text comes any more.
  var hasEnded: Bool { isWhole }

  /// Where the next row begins.
  var offset: Int {
    switch feed {
    case .csv(let feed): feed.offset
    case .lines(let feed): feed.offset
    case .unknown: 0
    }
  }

  /// Bytes of a file that are not read yet; nil for a pipe.
  func bytesLeft() -> Int? {
    switch input {
    case .stream: return nil
    case .file(let source): return source.storedBytes.map { max(0, $0 - offset) }
    }
  }

  /// The names of the features, once they are known; reads as far as they are.
  func columns() throws -> [String]? {
    while true {
      if let columns = try knownColumns() { return columns }
      guard try read() else { return nil }
    }
  }

  private func knownColumns() throws -> [String]? {
    switch feed {
    case .csv(var feed):
      self.feed = .unknown
      defer { self.feed = .csv(feed) }
      return try feed.open() ? feed.columns : nil
    case .lines(var feed):
      self.feed = .unknown
      defer { self.feed = .lines(feed) }
      return feed.open() ? feed.columns : nil
    case .unknown: return nil
    }
  }

  /// Goes on to the next row.
  func next(
    into values: inout MutableSpan<Float>, at place: Int, target: inout Float, time: inout Double
  ) throws -> SourceEvent {
    if let start {
      guard try columns() != nil else { return isWhole ? .end : .nothing }
      move(to: start)
      self.start = nil
    }
    while true {
      let event = try parse(into: &values, at: place, target: &target, time: &time)
      guard event == .nothing else { return event }
      guard try read() else { return isWhole ? .end : .nothing }
    }
  }

  private func parse(
    into values: inout MutableSpan<Float>, at place: Int, target: inout Float, time: inout Double
  ) throws -> SourceEvent {
    switch feed {
    case .csv(var feed):
      // Out of the enum, so that its arrays have one owner.
      self.feed = .unknown
      defer { self.feed = .csv(feed) }
      return switch try feed.next(into: &values, at: place, target: &target, time: &time) {
      case .row: .row
      case .unknownClass(let name): .unknownClass(name)
      case .malformed(let what): .malformed(what)
      case .none: .nothing
      }
    case .lines(var feed):
      self.feed = .unknown
      defer { self.feed = .lines(feed) }
      return feed.next(into: &values, at: place, target: &target, time: &time)
    case .unknown: return .nothing
    }
  }

  /// The classes are these from now on.
  func know(classes: [String]) {
    schema.classes = classes
    switch feed {
    case .csv(var feed):
      feed.know(classes: classes)
      self.feed = .csv(feed)
    case .lines(var feed):
      feed.know(classes: classes)
      self.feed = .lines(feed)
    case .unknown: break
    }
  }

  private func move(to offset: Int) {
    switch feed {
    case .csv(var feed):
      feed.move(to: offset)
      self.feed = .csv(feed)
    case .lines(var feed):
      feed.move(to: offset)
      self.feed = .lines(feed)
    case .unknown: break
    }
    readOffset = offset
    isWhole = false
  }

  /// Reads on; false where there is nothing (yet).
  private func read() throws -> Bool {
    guard !isWhole else { return false }
    let before = arrived
    var bytes: [UInt8]
    switch input {
    case .stream(let stream):
      guard let more = try stream.read(atMost: Self.pieceBytes) else { return false }
      bytes = more
      arrived = .now
    case .file(let source):
      bytes = [UInt8](repeating: 0, count: Self.pieceBytes)
      let count = try source.read(at: readOffset, into: &bytes, from: 0)
      bytes.removeSubrange(count...)
      readOffset += count
      let now = ContinuousClock.now
      // What comes to a file that is followed has come since the last look.
      arrived = follows && count > 0 ? before : now
      if count == 0, follows { return false }
    }
    if bytes.isEmpty {
      isWhole = true
      finish()
    } else {
      append(bytes)
    }
    return true
  }

  private func append(_ bytes: [UInt8]) {
    switch feed {
    case .csv(var feed):
      self.feed = .unknown
      feed.append(bytes)
      self.feed = .csv(feed)
    case .lines(var feed):
      self.feed = .unknown
      feed.append(bytes)
      self.feed = .lines(feed)
    case .unknown:
      let first = bytes.first { $0 > 0x20 }
      feed = Self.feed(first == UInt8(ascii: "{") ? .jsonLines : .csv, name, schema)
      append(bytes)
    }
  }

  private func finish() {
    switch feed {
    case .csv(var feed):
      feed.finish()
      self.feed = .csv(feed)
    case .lines(var feed):
      feed.finish()
      self.feed = .lines(feed)
    case .unknown: break
    }
  }
}
