import Files
import Foundation

/// A fresh folder for one test, removed with what it holds.
final class Scratch {
  let path: String

  init() throws {
    path = try FileSystem.absolute(NSTemporaryDirectory()) + "/apus-files-\(UUID().uuidString)"
    try FileSystem.createDirectory(path)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  func file(_ name: String) -> String { FileSystem.join(path, name) }
}

/// The `FilesError` that `body` throws.
func failure(_ body: () throws -> Void) -> FilesError? {
  do {
    try body()
    return nil
  } catch {
    return error as? FilesError
  }
}
