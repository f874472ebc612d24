import Foundation

/// A new, empty folder that is removed with everything in it when its owner lets it go.
///
/// Keep the value in a variable for as long as the folder is used, or use ``with(_:)``.
public final class TemporaryDirectory: Sendable {
  /// Absolute, without a slash at the end.
  public let path: String

  public init(_ label: String = "test") throws {
    let folder = FileManager.default.temporaryDirectory
      .appendingPathComponent("apus-\(label)-\(UUID().uuidString.prefix(12))")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    path = folder.standardizedFileURL.path
  }

  deinit {
    // A test may have taken its own permissions away (a folder that cannot be written).
    if (try? FileManager.default.removeItem(atPath: path)) == nil {
      _ = try? Run.program("chmod", ["-R", "u+rwX", path])
      try? FileManager.default.removeItem(atPath: path)
    }
  }

  /// Runs `body` with a new folder, and removes the folder afterwards.
  public static func with<Result>(_ body: (TemporaryDirectory) throws -> Result) throws -> Result {
    let directory = try TemporaryDirectory()
    return try withExtendedLifetime(directory) { try body(directory) }
  }

  /// The absolute path of `name` in the folder; nothing is created.
  public func file(_ name: String) -> String { path + "/" + name }

  /// Writes a file and the folders on the way to it.
  /// - Returns: its absolute path.
  @discardableResult
  public func write(_ bytes: some Sequence<UInt8>, to name: String) throws -> String {
    let url = URL(fileURLWithPath: file(name))
    try FileManager.default.createDirectory(at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
    try Data(bytes).write(to: url)
    return url.path
  }

  /// Writes a text file and the folders on the way to it.
  /// - Returns: its absolute path.
  @discardableResult
  public func write(text: String, to name: String) throws -> String { try write(text.utf8, to: name) }

  /// The whole content of a file in the folder.
  public func read(_ name: String) throws -> [UInt8] { Array(try Data(contentsOf: URL(fileURLWithPath: file(name)))) }

  /// The whole content of a text file in the folder.
  public func readText(_ name: String) throws -> String { String(decoding: try read(name), as: UTF8.self) }

  /// Whether the folder holds a file or folder of that name.
  public func contains(_ name: String) -> Bool { FileManager.default.fileExists(atPath: file(name)) }

  /// The names in the folder, or in a folder inside it, sorted.
  public func names(in folder: String = "") throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: folder.isEmpty ? path : file(folder)).sorted()
  }
}
