import Foundation

/// The Python of the tests, with numpy, h5py and safetensors: it writes what Apus reads and reads what Apus writes.
public enum Python {
  /// The interpreter: `APUS_PYTHON` (set by `Scripts/test`), else that of `.venv`, which `Scripts/setup` makes.
  public static let path: String =
    ProcessInfo.processInfo.environment["APUS_PYTHON"] ?? PackageRoot.file(".venv/bin/python")

  /// Whether the interpreter is there. `Scripts/test` sets `APUS_PYTHON`, and then nothing is skipped for want of it.
  public static let isAvailable: Bool =
    ProcessInfo.processInfo.environment["APUS_PYTHON"] != nil || FileManager.default.isExecutableFile(atPath: path)

  /// Runs a script, which finds `arguments` in `sys.argv[1:]`.
  /// - Returns: what it left; a script that fails is no error here.
  public static func run(
    _ script: String, _ arguments: [String] = [], input: String = "", workingDirectory: String? = nil,
    timeout: Duration = Patience.most
  ) throws -> RunResult {
    try Run.program(
      path, ["-c", script] + arguments,
      // HDF5's lock files do not work on every file system, and tests have no two writers.
      environment: ["HDF5_USE_FILE_LOCKING": "FALSE", "OMP_NUM_THREADS": "1", "PYTHONDONTWRITEBYTECODE": "1"],
      workingDirectory: workingDirectory, input: input, timeout: timeout)
  }

  /// Runs a script that must succeed.
  /// - Returns: its standard output.
  /// - Throws: `RunError` with all that it wrote, if it fails.
  @discardableResult
  public static func text(
    _ script: String, _ arguments: [String] = [], input: String = "", workingDirectory: String? = nil,
    timeout: Duration = Patience.most
  ) throws -> String {
    let result = try run(script, arguments, input: input, workingDirectory: workingDirectory, timeout: timeout)
    guard result.exitCode == 0 else { throw RunError(description: "\(result)") }
    return result.standardOutput
  }

  /// Runs a script that must succeed and that prints one JSON value.
  public static func value<Value: Decodable>(
    _ script: String, _ arguments: [String] = [], as type: Value.Type = Value.self, workingDirectory: String? = nil,
    timeout: Duration = Patience.most
  ) throws -> Value {
    let output = try text(script, arguments, workingDirectory: workingDirectory, timeout: timeout)
    return try JSONDecoder().decode(type, from: Data(output.utf8))
  }

  /// Runs a script that must succeed, that finds `input` as JSON on standard input (`json.load(sys.stdin)`), and prints one JSON value.
  public static func value<Value: Decodable>(
    _ script: String, _ arguments: [String] = [], json input: some Encodable, as type: Value.Type = Value.self,
    workingDirectory: String? = nil, timeout: Duration = Patience.most
  ) throws -> Value {
    let encoded = String(decoding: try JSONEncoder().encode(input), as: UTF8.self)
    let output = try text(script, arguments, input: encoded, workingDirectory: workingDirectory, timeout: timeout)
    return try JSONDecoder().decode(type, from: Data(output.utf8))
  }
}
