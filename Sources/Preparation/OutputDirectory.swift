internal import Files

/// A directory that appears under its name only when all of it has been written.
///
/// It is written beside its place, as `.NAME.incomplete`. What a killed run left there is removed by the next one.
struct OutputDirectory: ~Copyable {
  /// Where it will be.
  let path: String
  /// Where it is written.
  let partial: String
  private let old: String
  private let replaces: Bool
  private let lock: FileLock
  private static let lockName = ".preparing"
  static let manifestName = "dataset.json"

  /// Makes an empty directory beside `path`.
  ///
  /// - Parameter overwrite: a data set that is at `path` will be replaced; anything else is never touched.
  /// - Throws: `PreparationError` of kind `exists` if something is at `path`, or another process is writing there.
  init(_ path: String, overwrite: Bool) throws(PreparationError) {
    let name = FileSystem.name(of: path)
    guard !path.isEmpty, name != "/", name != ".", name != ".." else {
      throw PreparationError(.usage, "--output '\(path)': the data set needs a directory of its own")
    }
    let parent = FileSystem.directory(of: path)
    let target = parent == "." ? name : FileSystem.join(parent, name)
    let partial = FileSystem.join(parent, ".\(name).incomplete")
    let replaces = try Self.check(target, overwrite: overwrite)
    let lock: FileLock
    do throws(FilesError) {
      try FileSystem.createDirectory(partial)
      lock = try FileLock(FileSystem.join(partial, Self.lockName))
      for entry in try FileSystem.list(partial) where entry != Self.lockName {
        try FileSystem.removeTree(FileSystem.join(partial, entry))
      }
    } catch {
      throw Self.cannotCreate(path, error)
    }
    self.path = target
    self.partial = partial
    self.replaces = replaces
    self.lock = lock
    old = FileSystem.join(parent, ".\(name).replaced")
  }

  /// Where to write the file `name` of the directory.
  func file(_ name: String) -> String { FileSystem.join(partial, name) }

  /// Moves the directory to its place.
  /// - Throws: `PreparationError`; then what was there before is still there.
  consuming func publish() throws(PreparationError) {
    // The lock goes last, and moves with the directory: a second process cannot take the name in between.
    try PreparationError.translating { () throws(FilesError) in
      try FileSystem.synchronizeDirectory(partial)
      if replaces {
        try FileSystem.removeTree(old)
        try FileSystem.rename(path, to: old)
      }
      do throws(FilesError) {
        try FileSystem.rename(partial, to: path)
      } catch {
        if replaces { try FileSystem.rename(old, to: path) }
        throw error
      }
      try FileSystem.remove(FileSystem.join(path, Self.lockName))
      try FileSystem.synchronizeDirectory(FileSystem.directory(of: path))
      if replaces { try FileSystem.removeTree(old) }
    }
  }

  /// Removes what was written.
  consuming func abandon() {
    // The error that led here is the one to report; what cannot be removed now goes with the next run.
    try? FileSystem.removeTree(partial)
  }

  /// Whether there is a data set that may be replaced.
  private static func check(_ path: String, overwrite: Bool) throws(PreparationError) -> Bool {
    let entries = try PreparationError.translating { () throws(FilesError) -> [String]? in
      guard let status = try FileSystem.status(of: path) else { return [] }
      return status.kind == .directory ? try FileSystem.list(path) : nil
    }
    guard let entries else {
      throw PreparationError(.exists, "'\(path)' exists and is no directory")
    }
    guard !entries.isEmpty else { return false }
    guard overwrite else {
      throw PreparationError(
        .exists, "'\(path)' exists already",
        hint: entries.contains(manifestName) ? "--overwrite replaces it" : "choose another directory")
    }
    // One foreign file is enough to leave all of it alone.
    if let foreign = entries.first(where: { !isOwn($0) }) {
      throw PreparationError(
        .exists, "'\(path)' is not replaced: it holds '\(foreign)', which is no part of a data set")
    }
    guard entries.contains(manifestName) else {
      throw PreparationError(.exists, "'\(path)' is not replaced: it holds no \(manifestName)")
    }
    return true
  }

  /// An output that cannot be made is exit 73, also where a directory on the way is none.
  private static func cannotCreate(_ path: String, _ error: FilesError) -> PreparationError {
    if error.kind == .locked {
      return PreparationError(
        .exists, "another process is preparing '\(path)'\(error.note.map { " (\($0))" } ?? "")")
    }
    let translated = PreparationError(error)
    return translated.kind == .missing ? PreparationError(.exists, translated.message) : translated
  }

  private static func isOwn(_ name: String) -> Bool {
    name == manifestName || name == lockName
      || name.hasSuffix(".h5") && SplitName.allCases.contains { name.hasPrefix("\($0.rawValue)-") }
  }
}
