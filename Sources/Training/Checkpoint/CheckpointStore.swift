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

  /// Gives the checkpoint of `step` its name; `entries` are its files, which lie on the disk. By rank 0.
  package func commit(step: Int, _ entries: [CheckpointManifest.Entry]) throws {
    let (partial, final) = (partialPath, path(of: step))
    let manifest = CheckpointManifest(step: step, entries: entries)
    try FileSystem.writeThrough(manifest.bytes, to: FileSystem.join(partial, CheckpointManifest.name))
    try FileSystem.synchronizeDirectory(partial)
    // One of this step may be there that was found damaged, where a run was resumed from an older one.
    try remove(step: step)
    try FileSystem.rename(partial, to: final)
    try FileSystem.synchronizeDirectory(directory)
    // The folder itself may be as new as its first checkpoint.
    guard !isOnDisk.load(ordering: .relaxed) else { return }
    try FileSystem.synchronizeDirectory(FileSystem.directory(of: directory))
    isOnDisk.store(true, ordering: .relaxed)
  }

  /// Removes what there is of a checkpoint that cannot be finished, or that none follows. By rank 0, when no rank writes to it any more.
  package func giveUp() {
    try? FileSystem.removeTree(partialPath)
  }

  /// Removes all but the last ones up to `step`, and those of later steps, which were damaged: the run has gone on from an older one.
  /// By rank 0.
  /// - Parameter nextFiles: the names of files that the next checkpoint has for sure: it takes over those of one that goes; nil where
  ///   none follows.
  package func removeOld(afterCommitting step: Int, nextFiles: Set<String>? = nil) throws {
    let steps = try steps()
    let old = steps.filter { $0 <= step }.dropLast(keep)
    for one in old.dropLast(nextFiles == nil ? 0 : 1) + steps.filter({ $0 > step }) { try remove(step: one) }
    if let last = old.last, let nextFiles { try reuse(step: last, nextFiles) }
  }

  /// Removes the checkpoint of `step`, if there is one; it is complete or not there at any moment.
  private func remove(step: Int) throws {
    let path = path(of: step)
    guard try FileSystem.status(of: path) != nil else { return }
    let removed = FileSystem.join(directory, Self.removedPrefix + Self.name(of: step))
    try FileSystem.removeTree(removed)
    try takeName(of: path, removed)
    try FileSystem.removeTree(removed)
  }

  /// Makes the checkpoint of `step` the folder of the next one, in which files of `names` may stay; it is complete or not there at any
  /// moment. There is no such folder yet.
  private func reuse(step: Int, _ names: Set<String>) throws {
    let removed = FileSystem.join(directory, Self.removedPrefix + Self.name(of: step))
    try FileSystem.removeTree(removed)
    try takeName(of: path(of: step), removed)
    for name in try FileSystem.list(removed) {
      let path = FileSystem.join(removed, name)
      // What somebody keeps under another name, or has put there, is not ours to write over.
      let isOurs = try (names.contains(name) || name == CheckpointManifest.name) && FileSystem.isPlain(path)
      if !isOurs { try FileSystem.removeTree(path) }
    }
    // Only now, with nothing in it that would be written over in error.
    try FileSystem.rename(removed, to: partialPath)
  }

  /// Gives the checkpoint at `path` a name that is none of a checkpoint, for sure.
  private func takeName(of path: String, _ name: String) throws {
    try FileSystem.rename(path, to: name)
    try FileSystem.synchronizeDirectory(directory)
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
  public func path(of step: Int) -> String { FileSystem.join(directory, Self.name(of: step)) }

  private var partialPath: String { FileSystem.join(directory, Self.partialName) }

  private static func name(of step: Int) -> String {
    let digits = String(step)
    return prefix + String(repeating: "0", count: max(0, 9 - digits.count)) + digits
  }
}
