internal import Data
internal import Files

/// A directory that appears under its name only when all of it has been written.
///
/// It is written beside its place, as `.NAME.incomplete`. What a killed run left there is removed by the next one.
struct OutputDirectory: ~Copyable {
  /// What becomes of what is there.
  enum Mode: Equatable, Sendable {
    /// Nothing is there.
    case new
    /// A data set that is there will be replaced; anything else is never touched.
    case replacing
    /// A data set must be there: shards are moved into it, and its `dataset.json` is replaced by one that has them too.
    case adding
  }

  /// Where it will be.
  let path: String
  /// Where it is written.
  let partial: String
  private let old: String
  private let mode: Mode
  /// Something is there.
  private let isThere: Bool
  private let lock: FileLock
  private static let lockName = ".preparing"
  static let manifestName = "dataset.json"

  /// Makes an empty directory beside `path`.
  ///
  /// - Throws: `PreparationError` of kind `exists` if something is at `path` that may not be replaced, or another process is
  ///   writing there; of kind `missing` if there is no data set to add to.
  init(_ path: String, _ mode: Mode) throws(PreparationError) {
    let name = FileSystem.name(of: path)
    guard !path.isEmpty, name != "/", name != ".", name != ".." else {
      throw PreparationError(.usage, "--output '\(path)': the data set needs a directory of its own")
    }
    let parent = FileSystem.directory(of: path)
    let target = parent == "." ? name : FileSystem.join(parent, name)
    let partial = FileSystem.join(parent, ".\(name).incomplete")
    let isThere = try Self.check(target, mode)
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
    self.mode = mode
    self.isThere = isThere
    self.lock = lock
    old = FileSystem.join(parent, ".\(name).replaced")
  }

  /// Where to write the file `name` of the directory.
  func file(_ name: String) -> String { FileSystem.join(partial, name) }

  /// Moves the directory to its place.
  /// - Throws: `PreparationError`; then what was there before is still there.
  consuming func publish() throws(PreparationError) {
    guard mode != .adding else { return try add() }
    let replaces = isThere
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

  /// Moves what was written into the data set that is there.
  private borrowing func add() throws(PreparationError) {
    let names = try PreparationError.translating { () throws(FilesError) in
      try FileSystem.list(partial).filter { $0 != Self.lockName && $0 != Self.manifestName }
    }
    try removeLeftovers()
    var moved: [String] = []
    do throws(FilesError) {
      for name in names {
        let place = FileSystem.join(path, name)
        try FileSystem.rename(file(name), to: place)
        moved.append(place)
      }
      try FileSystem.synchronizeDirectory(path)
      // From here on they belong to it.
      try FileSystem.rename(file(Self.manifestName), to: FileSystem.join(path, Self.manifestName))
    } catch {
      for place in moved { try? FileSystem.remove(place) }
      throw PreparationError(error)
    }
    try PreparationError.translating { () throws(FilesError) in
      try FileSystem.synchronizeDirectory(path)
      try FileSystem.removeTree(partial)
    }
  }

  /// Removes the shards that an addition left when it was killed: `dataset.json` knows nothing of them.
  private borrowing func removeLeftovers() throws(PreparationError) {
    let known: Set<String>
    do throws(DataError) {
      let manifest = try DatasetManifest.read(FileSystem.join(path, Self.manifestName))
      known = Set(manifest.splits.flatMap { $0.shards.map(\.file) })
    } catch {
      throw PreparationError(error)
    }
    try PreparationError.translating { () throws(FilesError) in
      for name in try FileSystem.list(path) where Self.isShardName(name) && !known.contains(name) {
        try FileSystem.remove(FileSystem.join(path, name))
      }
    }
  }

  /// Whether a name is one that `DatasetManifest.shardName` gives.
  private static func isShardName(_ name: String) -> Bool {
    let parts = name.split(separator: "-", omittingEmptySubsequences: false)
    guard parts.count == 4, parts[2] == "of", parts[3].hasSuffix(".h5"), let index = Int(parts[1]),
      let count = Int(parts[3].dropLast(3)), SplitName(rawValue: String(parts[0])) != nil
    else { return false }
    return DatasetManifest.shardName(split: String(parts[0]), index: index, of: count) == name
  }

  /// Removes what was written.
  consuming func abandon() {
    // The error that led here is the one to report; what cannot be removed now goes with the next run.
    try? FileSystem.removeTree(partial)
  }

  /// Whether there is a data set that may be replaced or added to.
  private static func check(_ path: String, _ mode: Mode) throws(PreparationError) -> Bool {
    let entries = try PreparationError.translating { () throws(FilesError) -> [String]? in
      guard let status = try FileSystem.status(of: path) else { return [] }
      return status.kind == .directory ? try FileSystem.list(path) : nil
    }
    guard let entries else {
      throw PreparationError(.exists, "'\(path)' exists and is no directory")
    }
    if mode == .adding {
      guard entries.contains(manifestName) else {
        throw PreparationError(
          .missing, "there is no data set '\(path)' to add rows to",
          hint: "without --append, apus prepare makes one of the rows")
      }
      return true
    }
    guard !entries.isEmpty else { return false }
    guard mode == .replacing else {
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
