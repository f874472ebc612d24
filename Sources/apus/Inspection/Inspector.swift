import Data
import Failures
import Files
import Training

/// Finds out what lies at a path.
enum Inspector {
  private static let known =
    "inspect knows data sets, HDF5 files, model files (.safetensors), checkpoints and the directories of runs"

  /// - Throws: an error with exit code 66 where there is nothing, 65 where it is nothing that Apus knows or is damaged.
  static func inspect(_ path: String) throws -> any Inspection {
    guard let status = try FileSystem.status(of: path) else {
      // A pattern; or nothing, and the error says what there is instead.
      return try FilesInspection(path, files: DataSource(path: path).resolve().paths)
    }
    return status.kind == .directory ? try inspectDirectory(path) : try inspectFile(path)
  }

  private static func inspectDirectory(_ path: String) throws -> any Inspection {
    let names = Set(try FileSystem.list(path))
    if names.contains(DatasetManifest.fileName) {
      return try DatasetInspection(FileSystem.join(path, DatasetManifest.fileName))
    }
    if names.contains(CheckpointManifest.name) { return try CheckpointInspection(path) }
    // A job file alone is no run yet.
    let ofRun = [MetricsLog.name, ModelFile.name, CheckpointStore.name]
    if ofRun.contains(where: names.contains) { return try RunInspection(path) }
    guard names.contains(where: { $0.hasSuffix(".h5") || $0.hasSuffix(".hdf5") }) else {
      throw Failure(.invalidData, "the directory '\(path)' holds nothing that Apus knows", hint: known)
    }
    return try FilesInspection(path, files: DataSource(path: path).resolve().paths)
  }

  private static func inspectFile(_ path: String) throws -> any Inspection {
    switch FileSystem.name(of: path) {
    case DatasetManifest.fileName: return try DatasetInspection(path)
    case CheckpointManifest.name: return try CheckpointInspection(FileSystem.directory(of: path))
    default: break
    }
    if try isSafetensors(path) { return try TensorsInspection(path) }
    do {
      return try HDF5Inspection(path)
    } catch {
      let failure = Failure(error)
      guard failure.code == .invalidData, failure.hint == nil else { throw failure }
      throw Failure(failure.code, failure.message, hint: known)
    }
  }

  /// Whether the ending says so, or the ninth byte, where the header begins behind its length.
  private static func isSafetensors(_ path: String) throws -> Bool {
    if path.lowercased().hasSuffix(".safetensors") { return true }
    let first = try File.openForReading(path).read(at: 0, count: 9)
    // A header is shorter than 2^32 bytes, so that half of its length is zeros.
    return first.count == 9 && first[4..<8].allSatisfy { $0 == 0 } && first[8] == UInt8(ascii: "{")
  }
}
