import Data
import Files
import JSON
import Kernels
import Training

@testable import HDF5
@testable import Preparation

/// What reads files that others may have made, as a function of their bytes. An error is what is wanted for most of them; a trap, a long
/// time or much memory is a finding.
enum Reader: String, CaseIterable {
  case json, job, dataset, safetensors, manifest, csv, hdf5, recipe, expression

  func read(_ bytes: [UInt8]) {
    do { try attempt(bytes) } catch {}
  }

  private func attempt(_ bytes: [UInt8]) throws {
    switch self {
    case .json:
      _ = try? JSONNode(parsing: bytes, dialect: .json5)
      let node = try JSONNode(parsing: bytes, dialect: .json)
      // What was read can be written, and read again to the same.
      let again = try JSONNode(parsing: Array(node.value.serialized(pretty: true).utf8), dialect: .json)
      precondition(again.value == node.value, "not the same when it is read again")
    case .job:
      let job = try TrainingJob(parsing: bytes, source: "job.json")
      // A job as a run writes it is a job.
      _ = try TrainingJob(parsing: Array(job.json.serialized(pretty: true).utf8), source: "again.json")
    case .dataset: _ = try DatasetManifest(parsing: bytes, path: "dataset.json")
    case .safetensors:
      let file = try SafetensorsFile.open(try Scratch.write(bytes, "x.safetensors"))
      for tensor in file.tensors { _ = try? file.values(of: tensor) }
      _ = try file.verify()
    case .manifest:
      _ = try Scratch.write([1, 2, 3], "data")
      _ = try Scratch.write(bytes, CheckpointManifest.name)
      _ = try CheckpointManifest(verifying: Scratch.folder)
    case .csv:
      let path = try Scratch.write(bytes, "x.csv")
      let names = try CSVRows.columns(of: path)
      var rows = try CSVRows(path: path, columns: Array(names.dropLast()), target: names.last)
      var features = FloatBuffer(count: 64 * max(1, names.count))
      var targets = FloatBuffer(count: 64)
      while try rows.next(64, features: &features, targets: &targets) == 64 {}
    case .recipe: try RecipeTrial.prepare(try Recipe(parsing: bytes, source: "prepare.json"))
    case .expression:
      let text = JSONValue.string(String(decoding: bytes, as: UTF8.self))
      let root = JSONNode(.object([("derive", .object([("new", text)]))]))
      try RecipeTrial.prepare(try Recipe(root, source: "prepare.json"))
    case .hdf5: try FileProbe(try Scratch.write(bytes, "x.h5")).checkLength("x.h5")
    }
  }
}

/// A folder in memory for readers of files.
private enum Scratch {
  static let folder = "/dev/shm/apus-fuzz-\(Machine.processIdentifier)"

  static func write(_ bytes: [UInt8], _ name: String) throws -> String {
    let path = FileSystem.join(folder, name)
    if try FileSystem.status(of: folder) == nil { try FileSystem.createDirectory(folder) }
    try FileSystem.write(bytes, to: path, atomically: false)
    return path
  }
}
