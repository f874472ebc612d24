import Data
import Failures
import Files
import Synchronization

/// The folder of a run's checkpoints.
///
/// A checkpoint is written beside its place, brought to the disk, and renamed; one that is removed is renamed first: whatever has the
/// name of a checkpoint is complete. The oldest ones are removed only after a newer one is there.
public final class CheckpointStore: Sendable {
  public static let name = "checkpoints"
  private static let prefix = "step-"
  private static let partialPrefix = ".partial-"
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
    where name.hasPrefix(Self.partialPrefix + Self.prefix) || name.hasPrefix(Self.removedPrefix + Self.prefix) {
      try FileSystem.removeTree(FileSystem.join(directory, name))
    }
  }

  /// The folder for the files of the checkpoint of `step`, which takes its name in `commit`; made where it is not there. Any rank may
  /// call it, at any time before that.
  package func begin(step: Int) throws -> String {
    let partial = partialPath(of: step)
    try FileSystem.createDirectory(partial)
    return partial
  }

  /// Gives the checkpoint of `step` its name; `entries` are its files, which lie on the disk. By rank 0.
  package func commit(step: Int, _ entries: [CheckpointManifest.Entry]) throws {
    let (partial, final) = (partialPath(of: step), path(of: step))
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

  /// Removes what there is of a checkpoint of `step` that cannot be finished. By rank 0, when no rank writes to it any more.
  package func giveUp(step: Int) {
    try? FileSystem.removeTree(partialPath(of: step))
  }

  /// Removes all but the last ones up to `step`, and those of later steps, which were damaged: the run has gone on from an older one.
  /// By rank 0.
  package func removeOld(afterCommitting step: Int) throws {
    let steps = try steps()
    for old in steps.filter({ $0 <= step }).dropLast(keep) + steps.filter({ $0 > step }) { try remove(step: old) }
  }

  /// Removes the checkpoint of `step`, if there is one; it is complete or not there at any moment.
  private func remove(step: Int) throws {
    let path = path(of: step)
    guard try FileSystem.status(of: path) != nil else { return }
    let removed = FileSystem.join(directory, Self.removedPrefix + Self.name(of: step))
    try FileSystem.removeTree(removed)
    try FileSystem.rename(path, to: removed)
    try FileSystem.synchronizeDirectory(directory)
    try FileSystem.removeTree(removed)
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

  private func partialPath(of step: Int) -> String {
    FileSystem.join(directory, Self.partialPrefix + Self.name(of: step))
  }

  private static func name(of step: Int) -> String {
    let digits = String(step)
    return prefix + String(repeating: "0", count: max(0, 9 - digits.count)) + digits
  }
}
