import Foundation
import Testing

/// The Python that checks what Apus writes and writes what Apus reads: `APUS_PYTHON`, or the package's own environment.
enum Python {
  static let path: String? = {
    let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
    let candidates = [
      ProcessInfo.processInfo.environment["APUS_PYTHON"], root.appending(path: ".venv/bin/python3").path(),
    ]
    return candidates.compactMap { $0 }.first { FileManager.default.isExecutableFile(atPath: $0) }
  }()

  static let reason: Comment =
    "needs h5py and safetensors: name a Python with them in APUS_PYTHON, or run Scripts/setup"

  /// Runs `script` with `arguments` and returns what it printed.
  static func run(_ script: String, _ arguments: [String], sourceLocation: SourceLocation = #_sourceLocation) throws
    -> String
  {
    let process = Process()
    process.executableURL = URL(filePath: path ?? "/nonexistent")
    process.arguments = ["-c", script] + arguments
    let (output, errors) = (Pipe(), Pipe())
    process.standardOutput = output
    process.standardError = errors
    try process.run()
    let text = try output.fileHandleForReading.readToEnd() ?? Foundation.Data()
    let complaint = try errors.fileHandleForReading.readToEnd() ?? Foundation.Data()
    process.waitUntilExit()
    if process.terminationStatus != 0 {
      Issue.record("Python failed: \(String(decoding: complaint, as: UTF8.self))", sourceLocation: sourceLocation)
    }
    return String(decoding: text, as: UTF8.self)
  }
}
