import Foundation

/// Where this package lies on disk.
public enum PackageRoot {
  /// The folder of `Package.swift`, absolute, without a slash at the end.
  public static let path: String = {
    var url = URL(fileURLWithPath: #filePath)
    // PackageRoot.swift, TestSupport, Tests
    for _ in 0..<3 { url.deleteLastPathComponent() }
    return url.standardizedFileURL.path
  }()

  /// The absolute path of `relative`, which is given from the folder of `Package.swift`.
  public static func file(_ relative: String) -> String { path + "/" + relative }
}
