import Foundation

/// The Python that writes what we read and reads what we write.
enum Python {
  /// `APUS_PYTHON`, else the interpreter of `.venv` in the package.
  static let path: String =
    ProcessInfo.processInfo.environment["APUS_PYTHON"]
    ?? URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().appendingPathComponent(".venv/bin/python3").path

  static let isAvailable = FileManager.default.isExecutableFile(atPath: path)

  struct Failure: Error, CustomStringConvertible { let description: String }

  /// Runs a script that must succeed, with `h5py` and `numpy` imported and `path` in `sys.argv[1]`, and returns what it
  /// prints.
  @discardableResult
  static func text(_ script: String, _ arguments: [String]) throws -> String {
    try program(path, ["-c", "import sys, os, h5py, numpy\n" + script] + arguments)
  }

  /// Runs a program that must succeed and returns what it prints.
  static func program(_ path: String, _ arguments: [String]) throws -> String {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: path)
    process.arguments = arguments
    let (output, errors) = (Pipe(), Pipe())
    process.standardOutput = output
    process.standardError = errors
    try process.run()
    let text = String(decoding: try output.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
    let complaint = String(decoding: try errors.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
    process.waitUntilExit()
    guard process.terminationReason == .exit, process.terminationStatus == 0 else {
      throw Failure(
        description: "\(path) \(arguments.last ?? "") failed with \(process.terminationStatus):\n\(complaint)")
    }
    return text
  }
}
