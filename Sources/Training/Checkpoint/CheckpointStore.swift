import Data
import Failures
import Files

/// The folder of a run's checkpoints. Used by rank 0.
///
/// A checkpoint is written beside its place, brought to the disk, and renamed: it is complete or absent. The oldest ones are removed
/// only after a newer one is there.
public final class CheckpointStore {
  public static let name = "checkpoints"
  private static let prefix = "step-"
  private static let partialPrefix = ".partial-"

  public let directory: String
  private let keep: Int

  public init(directory: String, keep: Int) {
    self.directory = directory
    self.keep = keep
  }

  /// Makes the folder for the files of the checkpoint of `step`; it takes its name in `commit`.
  func begin(step: Int) throws -> String {
    let partial = partialPath(of: step)
    try FileSystem.createDirectory(directory)
    if try FileSystem.status(of: partial) != nil { try FileSystem.removeTree(partial) }
    try FileSystem.createDirectory(partial)
    return partial
  }

  /// Gives the checkpoint of `step` its name; `entries` are its files, which lie on the disk.
  func commit(step: Int, _ entries: [CheckpointManifest.Entry]) throws {
    let (partial, final) = (partialPath(of: step), path(of: step))
    let manifest = CheckpointManifest(step: step, entries: entries)
    try FileSystem.write(manifest.bytes, to: FileSystem.join(partial, CheckpointManifest.name))
    try FileSystem.synchronizeDirectory(partial)
    // A checkpoint of this step is there already where a run was resumed from it and saves before its next step.
    if try FileSystem.status(of: final) != nil { try FileSystem.removeTree(final) }
    try FileSystem.rename(partial, to: final)
    try FileSystem.synchronizeDirectory(directory)
    try removeOld()
  }

  /// Removes what there is of a checkpoint of `step` that cannot be finished.
  func giveUp(step: Int) {
    try? FileSystem.removeTree(partialPath(of: step))
  }

  private func removeOld() throws {
    for step in try steps().dropLast(keep) {
      try FileSystem.removeTree(path(of: step))
    }
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
