/// A gzip file (RFC 1952), read as the bytes that were compressed; members that follow each other are one content, as for
/// `gzip -d`.
///
/// Reading is cheap in order and a little way back; to go far back is to decompress from the beginning again. Used by one
/// thread at a time.
public final class GzipFile {
  public var path: String { file.path }
  /// How many bytes of the file itself have been read since its beginning.
  public private(set) var compressedBytesRead = 0

  private let file: File
  private let inflater: Inflater
  /// Compressed bytes, of which those in `rest` are still to be decompressed.
  private var input = [UInt8](repeating: 0, count: 1 << 17)
  private var rest = 0..<0
  /// The last bytes that were decompressed: more than a reader of records steps back by when it has read a block and the
  /// beginning of a record behind it.
  private var history = ByteHistory(capacity: 1 << 23)
  /// How many bytes have been decompressed since the beginning.
  private var position: Int { history.end }
  private var state = State.beforeMember

  private enum State {
    case beforeMember, inMember, atEnd
  }

  /// Whether these are the first bytes of a gzip file.
  public static func isMagic(_ bytes: [UInt8]) -> Bool { bytes.starts(with: [0x1f, 0x8b]) }

  /// Takes a file that is open for reading.
  public init(_ file: consuming File) throws(FilesError) {
    do {
      inflater = try Inflater()
    } catch {
      throw FilesError(damaged: file.path, error.reason)
    }
    self.file = file
  }

  /// The size of the file itself, compressed.
  public var compressedSize: Int {
    get throws(FilesError) { try file.size }
  }

  /// Fills `bytes` from the place `offset` of the content on; returns how many bytes there were before its end.
  ///
  /// - Throws: `FilesError` if reading fails, or of kind `.damaged` if the file is cut off or its content does not fit its
  ///   checksum. What was given out before is then not to be trusted.
  public func read(at offset: Int, into bytes: inout MutableSpan<UInt8>) throws(FilesError) -> Int {
    precondition(offset >= 0, "offset is \(offset)")
    if position - offset > history.capacity { rewind() }
    try skip(to: offset)
    guard offset <= position else { return 0 }
    let known = min(position - offset, bytes.count)
    history.copy(from: offset, count: known, into: &bytes)
    var rest = bytes._mutatingExtracting(known..<bytes.count)
    return known + (try fill(&rest))
  }

  /// How many bytes the content has; decompresses all of it.
  public func contentSize() throws(FilesError) -> Int {
    try skip(to: .max)
    return position
  }

  /// Decompresses until `offset`, or the end of the content.
  private func skip(to offset: Int) throws(FilesError) {
    guard position < offset else { return }
    var skipped = [UInt8](repeating: 0, count: min(offset - position, 1 << 20))
    while position < offset {
      var span = skipped.mutableSpan
      var wanted = span._mutatingExtracting(0..<min(offset - position, span.count))
      if try fill(&wanted) == 0 { return }
    }
  }

  private func rewind() {
    inflater.reset()
    compressedBytesRead = 0
    rest = 0..<0
    history.reset()
    state = .beforeMember
  }

  private func fill(_ bytes: inout MutableSpan<UInt8>) throws(FilesError) -> Int {
    var filled = 0
    while filled < bytes.count, state != .atEnd {
      if rest.isEmpty, try !refill() { break }
      if state == .beforeMember {
        try beginMember()
      } else {
        filled += try inflate(&bytes, from: filled)
      }
    }
    history.append(bytes.span.extracting(0..<filled))
    return filled
  }

  /// Reads more of the file; false at its end, which only a whole member may stand before.
  private func refill() throws(FilesError) -> Bool {
    let count = try Self.read(file, at: compressedBytesRead, into: &input)
    compressedBytesRead += count
    rest = 0..<count
    if count > 0 { return true }
    guard state == .beforeMember, compressedBytesRead > 0 else {
      throw FilesError(damaged: path, "the gzip data end in the middle")
    }
    state = .atEnd
    return false
  }

  private static func read(
    _ file: borrowing File, at offset: Int, into bytes: inout [UInt8]
  ) throws(FilesError) -> Int {
    var span = bytes.mutableSpan
    return try file.read(at: offset, into: &span)
  }

  /// Passes over zeros, which tapes fill their last block up with; anything else has to be a member.
  private func beginMember() throws(FilesError) {
    if compressedBytesRead > rest.count {
      while !rest.isEmpty, input[rest.lowerBound] == 0 { rest = rest.lowerBound + 1..<rest.upperBound }
    }
    if !rest.isEmpty { state = .inMember }
  }

  private func inflate(_ bytes: inout MutableSpan<UInt8>, from start: Int) throws(FilesError) -> Int {
    let result: (consumed: Int, produced: Int, state: Inflater.State)
    do throws(Inflater.Damage) {
      result = try inflater.inflate(input, rest, into: &bytes, from: start)
    } catch {
      throw FilesError(damaged: path, "no valid gzip data: \(error.reason)")
    }
    rest = rest.lowerBound + result.consumed..<rest.upperBound
    if result.state == .ended {
      inflater.reset()
      state = .beforeMember
    }
    return result.produced
  }
}
