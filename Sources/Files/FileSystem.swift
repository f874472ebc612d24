import CProcess
import Glibc

/// Files and folders by their paths.
public enum FileSystem {
  /// What lies at `path`, nil if nothing does.
  public static func status(of path: String) throws(FilesError) -> FileStatus? {
    do {
      return FileStatus(try SystemCall.stat(path))
    } catch {
      // "x.h5/y" is missing as well, whatever kind of file x.h5 is.
      if error.code == ENOENT || error.code == ENOTDIR { return nil }
      throw FilesError(action: "look at", call: error.call.rawValue, path: path, code: error.code)
    }
  }

  /// Whether a regular file lies at `path`, under this name only: writing to it changes nothing that is reached in another way.
  public static func isPlain(_ path: String) throws(FilesError) -> Bool {
    let status = try naming(path, "look at") { () throws(SystemCall.Failure) in try SystemCall.lstat(path) }
    return FileStatus(status).kind == .regular && status.st_nlink == 1
  }

  /// The names in a folder, sorted by their bytes, so that every machine sees one order.
  public static func list(_ directory: String) throws(FilesError) -> [String] {
    let names = try naming(directory, "list") { () throws(SystemCall.Failure) in
      try SystemCall.names(in: directory)
    }
    return names.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
  }

  /// Makes a folder and those on the way to it. One that is there already is fine, also if another rank made it just now.
  public static func createDirectory(_ path: String) throws(FilesError) {
    do {
      try SystemCall.mkdir(path)
    } catch {
      let parent = directory(of: path)
      if error.code == ENOENT, parent != path {
        try createDirectory(parent)
        return try makeDirectory(path)
      }
      try acceptExisting(path, error)
    }
  }

  private static func makeDirectory(_ path: String) throws(FilesError) {
    do {
      try SystemCall.mkdir(path)
    } catch {
      try acceptExisting(path, error)
    }
  }

  private static func acceptExisting(_ path: String, _ failure: SystemCall.Failure) throws(FilesError) {
    if failure.code == EEXIST, try status(of: path)?.kind == .directory { return }
    throw FilesError(action: "create", call: failure.call.rawValue, path: path, code: failure.code)
  }

  /// Gives a file or folder another name on the same file system, in one step; a file already there is replaced.
  public static func rename(_ path: String, to newPath: String) throws(FilesError) {
    do {
      try SystemCall.rename(path, newPath)
    } catch {
      throw FilesError(
        action: "rename", call: error.call.rawValue, path: path, code: error.code, note: "to '\(newPath)'")
    }
  }

  /// Removes a file, not a folder.
  public static func remove(_ path: String) throws(FilesError) {
    try naming(path, "remove") { () throws(SystemCall.Failure) in try SystemCall.unlink(path) }
  }

  /// Removes a file, or a folder with everything in it; symbolic links are removed, not followed. Nothing there is fine.
  public static func removeTree(_ path: String) throws(FilesError) {
    let isDirectory: Bool
    do {
      isDirectory = FileStatus(try SystemCall.lstat(path)).kind == .directory
    } catch {
      if error.code == ENOENT { return }
      throw FilesError(action: "remove", call: error.call.rawValue, path: path, code: error.code)
    }
    guard isDirectory else { return try remove(path) }
    for name in try list(path) { try removeTree(join(path, name)) }
    try naming(path, "remove") { () throws(SystemCall.Failure) in try SystemCall.rmdir(path) }
  }

  /// Waits until the names in a folder lie on the disk: a file that was created or renamed survives a power cut only
  /// after this.
  public static func synchronizeDirectory(_ path: String) throws(FilesError) {
    let descriptor = try naming(path, "open") { () throws(SystemCall.Failure) in
      try SystemCall.open(path, O_RDONLY | O_DIRECTORY)
    }
    defer { try? SystemCall.close(descriptor) }
    do {
      try SystemCall.fsync(descriptor)
    } catch {
      // Some network file systems keep no folder to flush and say so.
      if error.code == EINVAL { return }
      throw FilesError(action: "write", call: error.call.rawValue, path: path, code: error.code)
    }
  }

  /// The path as seen from the root, without empty and "." parts. ".." stays: behind a symbolic link it cannot be
  /// resolved by the name alone.
  public static func absolute(_ path: String) throws(FilesError) -> String {
    var whole = path
    if !path.utf8.starts(with: "/".utf8) {
      let here = try naming(path, "find") { () throws(SystemCall.Failure) in try SystemCall.getcwd() }
      whole = here + "/" + path
    }
    let parts = whole.split(separator: "/").filter { $0 != "." }
    return "/" + parts.joined(separator: "/")
  }

  /// How many bytes the user may still write on the file system of `path`, which need not exist yet.
  public static func availableBytes(at path: String) throws(FilesError) -> Int {
    var existing = path
    while try status(of: existing) == nil, directory(of: existing) != existing { existing = directory(of: existing) }
    let place = existing
    let status = try naming(path, "look at") { () throws(SystemCall.Failure) in try SystemCall.statvfs(place) }
    let (bytes, overflow) = UInt(status.f_bavail).multipliedReportingOverflow(by: UInt(status.f_frsize))
    return overflow ? .max : Int(clamping: bytes)
  }
}
