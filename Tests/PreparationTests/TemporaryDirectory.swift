import Files
import Foundation

/// A directory that is removed with its contents when the value goes.
final class TemporaryDirectory {
  let path: String

  init() throws {
    path = NSTemporaryDirectory() + "apus-preparation-\(UUID().uuidString)"
    try FileSystem.createDirectory(path)
  }

  deinit {
    try? FileManager.default.removeItem(atPath: path)
  }

  /// Writes a file and returns its path.
  func file(_ name: String, _ bytes: [UInt8]) throws -> String {
    let path = FileSystem.join(path, name)
    try FileSystem.write(bytes, to: path)
    return path
  }

  func file(_ name: String, _ text: String) throws -> String { try file(name, Array(text.utf8)) }

  func join(_ name: String) -> String { FileSystem.join(path, name) }
}

/// The root of the package, where `Datasets` is.
let packageRoot = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
  .deletingLastPathComponent().path
