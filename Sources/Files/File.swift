import CProcess
import Glibc

/// An open file. Closed when the value goes away; `close()` also tells whether that went well.
public struct File: ~Copyable, Sendable {
  public let path: String
  private var descriptor: Int32

  private init(_ path: String, action: String, flags: Int32) throws(FilesError) {
    self.path = path
    self.descriptor = try naming(path, action) { () throws(SystemCall.Failure) in try SystemCall.open(path, flags) }
  }

  deinit {
    // Who needs to know calls `close()`.
    if descriptor >= 0 { try? SystemCall.close(descriptor) }
  }

  /// Opens an existing file for reading. A folder is refused. Never waits: a pipe that nobody writes into is open at once.
  public static func openForReading(_ path: String) throws(FilesError) -> File {
    let file = try File(path, action: "open", flags: O_RDONLY | O_NONBLOCK)
    if try file.status().kind == .directory {
      throw FilesError(action: "open", call: "open", path: path, code: EISDIR)
    }
    return file
  }

  /// Opens a file for writing and reading back, empty: a new one, or the one at the path without what it held.
  public static func create(_ path: String) throws(FilesError) -> File {
    try File(path, action: "create", flags: O_RDWR | O_CREAT | O_TRUNC)
  }

  /// Opens a file for writing at its end, a new one if there is none.
  public static func openForAppending(_ path: String) throws(FilesError) -> File {
    try File(path, action: "open", flags: O_WRONLY | O_CREAT | O_APPEND)
  }

  /// Opens an existing file for writing, with what it holds.
  public static func openForWriting(_ path: String) throws(FilesError) -> File {
    try File(path, action: "write", flags: O_WRONLY)
  }

  /// Opens a file for writing, with what it holds; a new one if there is none.
  public static func openOrCreate(_ path: String) throws(FilesError) -> File {
    try File(path, action: "write", flags: O_WRONLY | O_CREAT)
  }

  /// The size in bytes at this moment.
  public var size: Int {
    get throws(FilesError) { try status().bytes }
  }

  public func status() throws(FilesError) -> FileStatus {
    let descriptor = self.descriptor
    return try naming(path, "look at") { () throws(SystemCall.Failure) in
      FileStatus(try SystemCall.fstat(descriptor))
    }
  }

  /// Fills `bytes` from `offset` on; returns how many bytes there were before the end of the file.
  public func read(at offset: Int, into bytes: inout MutableSpan<UInt8>) throws(FilesError) -> Int {
    try unsafe bytes.withUnsafeMutableBytes { (buffer) throws(FilesError) in try unsafe fill(buffer, from: offset) }
  }

  /// Fills `floats` from the byte `offset` on; returns how many whole numbers there were before the end of the file.
  public func read(at offset: Int, into floats: inout MutableSpan<Float>) throws(FilesError) -> Int {
    requireLittleEndian()
    return try unsafe floats.withUnsafeMutableBytes { (buffer) throws(FilesError) in
      try unsafe fill(buffer, from: offset) / MemoryLayout<Float>.stride
    }
  }

  /// The bytes from `offset` on, at most `count` of them; fewer at the end of the file.
  public func read(at offset: Int, count: Int) throws(FilesError) -> [UInt8] {
    precondition(count >= 0, "count is \(count)")
    var bytes = [UInt8](repeating: 0, count: count)
    var span = bytes.mutableSpan
    let filled = try read(at: offset, into: &span)
    bytes.removeSubrange(filled...)
    return bytes
  }

  /// Writes all of `bytes` behind what was written before.
  /// - Throws: `FilesError` if not all bytes could be written; some may have been.
  public func write(_ bytes: Span<UInt8>) throws(FilesError) {
    try unsafe bytes.withUnsafeBytes { (buffer) throws(FilesError) in try unsafe drain(buffer) }
  }

  /// Writes all of `bytes` behind what was written before.
  public func write(_ bytes: [UInt8]) throws(FilesError) {
    try write(bytes.span)
  }

  /// Writes the numbers as float32, little-endian, behind what was written before.
  public func write(_ floats: Span<Float>) throws(FilesError) {
    requireLittleEndian()
    try unsafe floats.withUnsafeBytes { (buffer) throws(FilesError) in try unsafe drain(buffer) }
  }

  /// Writes the numbers as float32, little-endian, from the byte `offset` on, over what is there.
  public func write(_ floats: Span<Float>, at offset: Int) throws(FilesError) {
    requireLittleEndian()
    try unsafe floats.withUnsafeBytes { (buffer) throws(FilesError) in try unsafe drain(buffer, at: offset) }
  }

  /// A place in the file for some of the numbers of a buffer.
  public struct Piece: Equatable, Sendable {
    /// Where they are in the buffer.
    public let range: Range<Int>
    /// The byte of the file at which they begin.
    public let offset: Int

    public init(_ range: Range<Int>, at offset: Int) {
      self.range = range
      self.offset = offset
    }
  }

  /// Writes the numbers of the pieces as `write(_:at:)` does, what is whole pages both in memory and in the file past the system's cache
  /// where the file system can: for large files that nobody reads soon it saves the copy, and most of the system's work.
  ///
  /// What is less than a page goes first: while pages are on their way, nobody else gets the file to write to its cache.
  public func writePastCache(_ floats: Span<Float>, _ pieces: [Piece]) throws(FilesError) {
    requireLittleEndian()
    for piece in pieces { precondition(floats.indices.contains(piece.range), "\(piece.range) of \(floats.count)") }
    try unsafe floats.withUnsafeBytes { (buffer) throws(FilesError) in
      var pages = unsafe [(bytes: UnsafeRawBufferPointer, offset: Int)]()
      for piece in pieces {
        let bytes = unsafe UnsafeRawBufferPointer(
          rebasing: buffer[4 * piece.range.lowerBound..<4 * piece.range.upperBound])
        let whole = unsafe Self.wholePages(bytes, at: piece.offset)
        guard whole.count >= Self.leastPastCache else {
          try unsafe drain(bytes, at: piece.offset)
          continue
        }
        try unsafe drain(UnsafeRawBufferPointer(rebasing: bytes[..<whole.lowerBound]), at: piece.offset)
        let rest = unsafe UnsafeRawBufferPointer(rebasing: bytes[whole.upperBound...])
        try unsafe drain(rest, at: piece.offset + whole.upperBound)
        unsafe pages.append((UnsafeRawBufferPointer(rebasing: bytes[whole]), piece.offset + whole.lowerBound))
      }
      guard unsafe !pages.isEmpty, try unsafe !drainPastCache(pages) else { return }
      for index in unsafe pages.indices { try unsafe drain(pages[index].bytes, at: pages[index].offset) }
    }
  }

  /// Where reading and writing past the cache begin and end.
  public static let pageBytes = 4096
  private static let leastPastCache = 1 << 16

  /// The bytes of `buffer` that fill pages which begin where pages of the file begin.
  private static func wholePages(_ buffer: UnsafeRawBufferPointer, at offset: Int) -> Range<Int> {
    let head = (pageBytes - offset % pageBytes) % pageBytes
    guard head < buffer.count, let base = buffer.baseAddress,
      unsafe Int(bitPattern: base + head) % pageBytes == 0
    else { return 0..<0 }
    return head..<head + (buffer.count - head) / pageBytes * pageBytes
  }

  /// - Returns: false where the file system cannot write past the cache; what was written then is to be written again.
  private func drainPastCache(_ pages: [(bytes: UnsafeRawBufferPointer, offset: Int)]) throws(FilesError) -> Bool {
    let descriptor = self.descriptor
    guard (try? SystemCall.setDirect(descriptor, true)) != nil else { return false }
    var isWritten = true
    do {
      for index in unsafe pages.indices { try unsafe drain(pages[index].bytes, at: pages[index].offset) }
    } catch {
      // As where a write was cut short within a page.
      guard error.code == EINVAL else { throw error }
      isWritten = false
    }
    try naming(path, "write") { () throws(SystemCall.Failure) in try SystemCall.setDirect(descriptor, false) }
    return isWritten
  }

  /// Takes the room for a file of `bytes` bytes, where the file system can do that: what is missing is known before anything is written.
  public func reserve(bytes: Int) throws(FilesError) {
    let descriptor = self.descriptor
    do {
      try naming(path, "write") { () throws(SystemCall.Failure) in try SystemCall.fallocate(descriptor, bytes) }
    } catch {
      guard [EOPNOTSUPP, ENOSYS, EINVAL].contains(error.code) else { throw error }
    }
  }

  /// Writes `bytes` from the byte `offset` on, over what is there.
  public func write(_ bytes: Span<UInt8>, at offset: Int) throws(FilesError) {
    try unsafe bytes.withUnsafeBytes { (buffer) throws(FilesError) in try unsafe drain(buffer, at: offset) }
  }

  /// Writes the text in UTF-8 behind what was written before.
  public func write(_ text: String) throws(FilesError) {
    try write(Array(text.utf8))
  }

  /// Cuts the file, or fills it up with zeros, to a length of `bytes`.
  public func truncate(to bytes: Int) throws(FilesError) {
    let descriptor = self.descriptor
    try naming(path, "write") { () throws(SystemCall.Failure) in try SystemCall.ftruncate(descriptor, bytes) }
  }

  /// Cuts off what the file holds beyond `bytes`; where it holds nothing there, that is a look.
  public func cut(to bytes: Int) throws(FilesError) {
    if try size > bytes { try truncate(to: bytes) }
  }

  /// Waits until everything written lies on the disk.
  /// Corresponds to `fdatasync(2)`.
  public func synchronize() throws(FilesError) {
    let descriptor = self.descriptor
    try naming(path, "write") { () throws(SystemCall.Failure) in try SystemCall.fdatasync(descriptor) }
  }

  /// Closes the file. Some file systems report only here that a write did not reach the disk.
  public consuming func close() throws(FilesError) {
    let open = descriptor
    descriptor = -1
    try naming(path, "close") { () throws(SystemCall.Failure) in try SystemCall.close(open) }
  }

  private func fill(_ buffer: UnsafeMutableRawBufferPointer, from offset: Int) throws(FilesError) -> Int {
    precondition(offset >= 0, "offset is \(offset)")
    let descriptor = self.descriptor
    var filled = 0
    while filled < buffer.count {
      let rest = unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[filled...])
      let position = offset + filled
      let count = try naming(path, "read") { () throws(SystemCall.Failure) in
        try unsafe SystemCall.pread(descriptor, rest, at: position)
      }
      if count == 0 { break }
      filled += count
    }
    return filled
  }

  /// - Parameter offset: Where to write; behind what was written before without one.
  private func drain(_ buffer: UnsafeRawBufferPointer, at offset: Int? = nil) throws(FilesError) {
    let descriptor = self.descriptor
    var written = 0
    while written < buffer.count {
      let rest = unsafe UnsafeRawBufferPointer(rebasing: buffer[written...])
      let count = try naming(path, "write") { [written] () throws(SystemCall.Failure) in
        if let offset { return try unsafe SystemCall.pwrite(descriptor, rest, at: offset + written) }
        return try unsafe SystemCall.write(descriptor, rest)
      }
      // POSIX allows no 0 for a regular file and a count above 0; without this line it would be an endless loop.
      guard count > 0 else { throw FilesError(action: "write", call: "write", path: path, code: EIO) }
      written += count
    }
  }
}
