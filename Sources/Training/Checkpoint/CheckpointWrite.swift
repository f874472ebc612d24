package import Data
import Failures
import Files
import JSON

/// The writing of one checkpoint, without what the ranks have to say to each other in between.
///
/// First every rank writes its share, in any order and at any time; then, when all shares are on the disk, rank 0 completes it.
struct CheckpointWrite: Sendable {
  static let stateName = "state.json"

  let store: CheckpointStore
  let contents: CheckpointContents
  let state: TrainingState
  private let files: [CheckpointContents.File]

  init(store: CheckpointStore, contents: CheckpointContents, state: TrainingState) {
    self.store = store
    self.contents = contents
    self.state = state
    files = contents.files(of: state)
  }

  /// Writes this rank's share of all files and brings it to the disk.
  /// - Parameters:
  ///   - completesHere: the checkpoint is completed on this host; what is written here is brought to the disk then.
  ///   - fill: writes the share of the file of this kind.
  /// - Returns: what was written of each file.
  func writeShare(
    completesHere: Bool = false, _ fill: (CheckpointContents.Kind, SafetensorsWriter) throws -> Void
  ) throws -> [SafetensorsPart] {
    let folder = try store.begin()
    return try files.map { file in
      let writer = try SafetensorsWriter(FileSystem.join(folder, file.name), file.layout)
      try fill(file.kind, writer)
      return try writer.finish(isSealedHere: completesHere)
    }
  }

  /// Completes the checkpoint of which the ranks have written `shares`. On rank 0.
  /// - Parameter isLast: no other follows.
  /// - Returns: what is wrong with the older checkpoints, which were to be removed; empty where nothing is.
  func complete(_ shares: [[SafetensorsPart]], isLast: Bool = false) throws -> String {
    let folder = try store.begin()
    var entries = try files.enumerated().map { index, file in
      let receipt = try SafetensorsWriter.seal(
        FileSystem.join(folder, file.name), file.layout, shares.map { $0[index] })
      return CheckpointManifest.Entry(name: file.name, file.layout, receipt)
    }
    let bytes = Array(state.json.serialized(pretty: true).utf8)
    try FileSystem.writeThrough(bytes, to: FileSystem.join(folder, Self.stateName))
    entries.append(
      CheckpointManifest.Entry(name: Self.stateName, bytes: bytes.count, checksum: Checksum(of: bytes).hex))
    return try store.commit(step: state.step, entries, nextFiles: isLast ? nil : Set(entries.map(\.name)))
  }
}

extension CheckpointManifest.Entry {
  /// A file of tensors, as it was written.
  package init(name: String, _ layout: SafetensorsLayout, _ receipt: SafetensorsLayout.Receipt) {
    let tensors = zip(layout.tensors, receipt.tensors).map {
      CheckpointManifest.Tensor(name: $0.name, bytes: 4 * $0.count, checksum: $1.hex)
    }
    self.init(name: name, bytes: receipt.bytes, checksum: receipt.checksum.hex, tensors: tensors)
  }
}
