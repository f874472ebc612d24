import Data
import Failures
import Files
import Synchronization

/// The folder of a run's checkpoints.
///
/// A checkpoint is written beside its place, brought to the disk, and renamed; one that is removed is renamed first: whatever has the
/// name of a checkpoint is complete. The oldest ones are removed only after a newer one is there; the files of the last that goes
/// are written over by the next checkpoint, which saves the file system most of its work.
public final class CheckpointStore: Sendable {
  public static let name = "checkpoints"
  private static let prefix = "step-"
  private static let partialName = ".partial"
  private static let removedPrefix = ".removed-"

  public let directory: String
  private let keep: Int
  /// Whether the folder itself is known to be on the disk.
  private let isOnDisk = Atomic<Bool>(false)
  /// The files in the folder of the next checkpoint whose names are known to be on the disk.
  private let reusedNames = Mutex<Set<String>>([])

  public init(directory: String, keep: Int) {
    self.directory = directory
    self.keep = keep
  }

  /// Removes what a run that was killed has left of checkpoints that it was writing or removing. Before any is written, by rank 0.
  package func removeUnfinished() throws {
    guard try FileSystem.status(of: directory) != nil else { return }
    for name in try FileSystem.list(directory)
    where name == Self.partialName || name.hasPrefix(Self.removedPrefix + Self.prefix) {
      try FileSystem.removeTree(FileSystem.join(directory, name))
    }
  }

  /// The folder for the files of the next checkpoint, which takes its name in `commit`; made where it is not there. Files in it are to be
  /// written over. Any rank may call it, at any time before that.
  package func begin() throws -> String {
    // A look costs the file system less than a folder that it refuses to make.
    if try FileSystem.status(of: partialPath)?.kind != .directory { try FileSystem.createDirectory(partialPath) }
    return partialPath
  }

  /// Gives the checkpoint of `step` its name; `entries` are its files, which lie on the disk. Then removes all but the last ones up to
  /// `step`, and those of later steps, which were damaged: the run has gone on from an older one. By rank 0.
  /// - Parameter nextFiles: the names of files that the next checkpoint has for sure: it takes over those of one that goes; nil where
  ///   none follows.
  /// - Returns: what is wrong with the older checkpoints, which were to be removed; empty where nothing is.
  package func commit(
    step: Int, _ entries: [CheckpointManifest.Entry], nextFiles: Set<String>? = nil
  ) throws -> String {
    let (partial, final) = (partialPath, path(of: step))
    let manifest = CheckpointManifest(step: step, entries: entries)
    try FileSystem.writeThrough(manifest.bytes, to: FileSystem.join(partial, CheckpointManifest.name))
    let names = Set(entries.map(\.name)).union([CheckpointManifest.name])
    // Names that the folder had as another checkpoint are on the disk.
    if !takeReusedNames().isSuperset(of: names) { try FileSystem.synchronizeDirectory(partial) }
    // One of this step may be there that was found damaged, where a run was resumed from an older one.
    try remove(step: step)
    try FileSystem.rename(partial, to: final)
    // Unless one stays that this value has written, nothing may lose its name before this one is sure to have its own.
    if keep == 1 || !isOnDisk.load(ordering: .relaxed) { try synchronizeNames() }
    let old = Result { try renameOld(after: step) }
    try synchronizeNames()
    do {
      let removed = try old.get()
      for name in removed.dropLast(nextFiles == nil ? 0 : 1) { try FileSystem.removeTree(path(name)) }
      if let last = removed.last, let nextFiles { try reuse(path(last), nextFiles) }
      return ""
    } catch {
      return "an older checkpoint could not be removed: \(Failure(error).message)"
    }
  }

  /// Brings the names of the checkpoints to the disk.
  private func synchronizeNames() throws {
    try FileSystem.synchronizeDirectory(directory)
    // The folder itself may be as new as its first checkpoint.
    guard !isOnDisk.load(ordering: .relaxed) else { return }
    try FileSystem.synchronizeDirectory(FileSystem.directory(of: directory))
    isOnDisk.store(true, ordering: .relaxed)
  }

  private func takeReusedNames() -> Set<String> {
    reusedNames.withLock { names in
      defer { names = [] }
      return names
    }
  }

  /// Removes what there is of a checkpoint that cannot be finished, or that none follows. By rank 0, when no rank writes to it any more.
  package func giveUp() {
    _ = takeReusedNames()
    try? FileSystem.removeTree(partialPath)
  }

  /// Gives those that are to be removed names that are none of a checkpoint; the oldest of those up to `step` that do not stay comes
  /// last.
  private func renameOld(after step: Int) throws -> [String] {
    let steps = try steps()
    let old = steps.filter { $0 <= step }.dropLast(keep)
    return try (steps.filter { $0 > step } + old).map { one in
      let removed = Self.removedPrefix + Self.name(of: one)
      try FileSystem.removeTree(path(removed))
      try FileSystem.rename(path(of: one), to: path(removed))
      return removed
    }
  }

  /// Removes the checkpoint of `step`, if there is one; it is complete or not there at any moment.
  private func remove(step: Int) throws {
    let path = path(of: step)
    guard try FileSystem.status(of: path) != nil else { return }
    let removed = self.path(Self.removedPrefix + Self.name(of: step))
    try FileSystem.removeTree(removed)
    try FileSystem.rename(path, to: removed)
    try FileSystem.synchronizeDirectory(directory)
    try FileSystem.removeTree(removed)
  }

  /// Makes the folder `removed`, which was a checkpoint, that of the next one, in which files of `names` may stay. There is no such
  /// folder yet.
  private func reuse(_ removed: String, _ names: Set<String>) throws {
    var kept: Set<String> = []
    for name in try FileSystem.list(removed) {
      let path = FileSystem.join(removed, name)
      // What somebody keeps under another name, or has put there, is not ours to write over.
      let isOurs = try (names.contains(name) || name == CheckpointManifest.name) && FileSystem.isPlain(path)
      if isOurs { kept.insert(name) } else { try FileSystem.removeTree(path) }
    }
    // Only now, with nothing in it that would be written over in error.
    try FileSystem.rename(removed, to: partialPath)
    reusedNames.withLock { $0 = kept }
  }

  /// The path of the newest checkpoint that is whole; damaged ones are told to `warn`.
  public func newest(warn: (String) -> Void) throws -> String? {
    for step in try steps().reversed() {
      let path = path(of: step)
      do {
        let manifest = try CheckpointManifest(verifying: path)
        guard manifest.step == step else {
          throw DataError(.invalid, "'\(path)' is the checkpoint of step \(manifest.step)")
        }
        return path
      } catch {
        warn("the checkpoint '\(path)' cannot be used: \(Failure(error).message)")
      }
    }
    return nil
  }

  /// The steps that have a checkpoint, complete by their name, in order.
  public func steps() throws -> [Int] {
    guard try FileSystem.status(of: directory) != nil else { return [] }
    return try FileSystem.list(directory).compactMap { name in
      name.hasPrefix(Self.prefix) ? Int(name.dropFirst(Self.prefix.count)) : nil
    }.sorted()
  }

  /// Where the checkpoint of `step` lies.
  public func path(of step: Int) -> String { path(Self.name(of: step)) }

  private func path(_ name: String) -> String { FileSystem.join(directory, name) }

  private var partialPath: String { path(Self.partialName) }

  private static func name(of step: Int) -> String {
    let digits = String(step)
    return prefix + String(repeating: "0", count: max(0, 9 - digits.count)) + digits
  }
}
