import Files
import Foundation

/// Python with numpy and h5py, where there is one: `APUS_PYTHON`, or the environment that `Scripts/setup` makes.
enum Python {
  static let path: String? = {
    let candidates = [ProcessInfo.processInfo.environment["APUS_PYTHON"], packageRoot + "/.venv/bin/python3"]
    return candidates.compactMap { $0 }.first { path in
      FileManager.default.isExecutableFile(atPath: path)
        && (try? run("import numpy, h5py", with: [], python: path)) == ""
    }
  }()

  /// What a script with these arguments prints, on either output.
  static func run(_ script: String, with arguments: [String], python: String? = nil) throws -> String {
    let process = Process()
    process.executableURL = URL(filePath: python ?? path ?? "/usr/bin/python3")
    process.arguments = ["-c", script] + arguments
    let pipe = Pipe()
    process.standardOutput = pipe
    process.standardError = pipe
    try process.run()
    let output = try pipe.fileHandleForReading.readToEnd() ?? Foundation.Data()
    process.waitUntilExit()
    return String(decoding: output, as: UTF8.self)
  }
}
