import CProcess
import Glibc

// Whole files at once.
extension FileSystem {
  /// The bytes of a file.
  /// - Parameter limit: The most bytes that the caller is ready for.
  /// - Throws: `FilesError` of kind `tooLarge` if there are more, without reading them.
  public static func read(_ path: String, limit: Int) throws(FilesError) -> [UInt8] {
    precondition(limit >= 0, "limit is \(limit)")
    let file = try File.openForReading(path)
    let status = try file.status()
    // A pipe cannot be read at an offset, and its end is not known before.
    guard status.kind == .regular else {
      throw FilesError(action: "read", call: "fstat", path: path, code: EINVAL, note: "not a regular file")
    }
    guard status.bytes <= limit else { throw tooLarge(path, "\(status.bytes) bytes, the limit is \(limit)") }
    var bytes = try file.read(at: 0, count: status.bytes)
    // Files in /proc say that they are empty, and any file may have grown since it was looked at.
    while bytes.count <= limit {
      let more = try file.read(at: bytes.count, count: min(65_536, limit - bytes.count + 1))
      if more.isEmpty { return bytes }
      bytes += more
    }
    throw tooLarge(path, "more than the limit of \(limit) bytes")
  }

  /// Writes a file.
  /// - Parameter atomically: The file is written beside its place, flushed to the disk and moved there in one step:
  ///   whatever happens, the path holds what it held before or all of `bytes`. Otherwise it is written in place and not
  ///   flushed.
  public static func write(_ bytes: [UInt8], to path: String, atomically: Bool = true) throws(FilesError) {
    guard atomically else {
      let file = try File.create(path)
      try file.write(bytes)
      return try file.close()
    }
    let partial = partialPath(for: path)
    do {
      let file = try File.create(partial)
      try file.write(bytes)
      try file.synchronize()
      try file.close()
      try rename(partial, to: path)
    } catch {
      try? SystemCall.unlink(partial)
      throw FilesError(action: "write", call: error.call, path: path, code: error.code)
    }
    try synchronizeDirectory(directory(of: path))
  }

  /// Writes a file in its place, over what is there, and flushes it: for one in a folder that gets its name when all in it is written.
  public static func writeThrough(_ bytes: [UInt8], to path: String) throws(FilesError) {
    let file = try File.openOrCreate(path)
    try file.write(bytes.span, at: 0)
    try file.cut(to: bytes.count)
    try file.synchronize()
    try file.close()
  }

  /// Where to write what shall appear at `path` in one step: beside it, hidden, and named after this process.
  public static func partialPath(for path: String) -> String {
    join(directory(of: path), ".\(name(of: path)).\(Machine.processIdentifier).partial")
  }

  /// Flushes the finished file `partial` to the disk and moves it to `path` in one step.
  public static func publish(_ partial: String, as path: String) throws(FilesError) {
    try synchronize(partial)
    try rename(partial, to: path)
    try synchronizeDirectory(directory(of: path))
  }

  /// Waits until all that was written to the file at `path`, by whomever, is on the disk.
  public static func synchronize(_ path: String) throws(FilesError) {
    let file = try File.openForReading(path)
    try file.synchronize()
    try file.close()
  }

  private static func tooLarge(_ path: String, _ note: String) -> FilesError {
    FilesError(action: "read", call: "fstat", path: path, code: EFBIG, note: note)
  }
}
