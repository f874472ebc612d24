import Failures
import Files
import JSON
import MPI

/// `apus inspect`: what lies at a path.
struct InspectCommand: LocalCommand {
  static let syntax = Syntax(
    name: "inspect", summary: "what a data set, shard, model, checkpoint or run holds",
    positionals: [
      Positional("PATH", "directory of a data set, a run or a checkpoint; a shard, any HDF5 file, or a model file")
    ],
    options: [Option("--json", "print it as JSON")],
    examples: ["apus inspect Datasets/digits/shards", "apus inspect runs/digits-mlp/model.safetensors --json"])

  private let path: String
  private let isJSON: Bool

  init(_ arguments: Arguments) throws {
    path = arguments.positionals[0]
    isJSON = arguments.has("--json")
  }

  /// Looks in a process of its own, so that a file on which the HDF5 library crashes or hangs is an error like any other.
  func run() throws -> Int32 {
    let child = try ChildProcess(
      [try Machine.programPath, Self.disposable] + (isJSON ? ["--json"] : []) + ["--", path],
      environment: ["SWIFT_BACKTRACE": "enable=no", "OPENBLAS_NUM_THREADS": "1"], captured: [.output])
    var found: [UInt8] = []
    while true {
      let more = try child.output.read()
      if more.isEmpty { break }
      found += more
    }
    switch try child.wait() {
    case .exited(let code):
      StandardStream.output.write(found)
      return code
    case .killed(let signal):
      throw Failure(
        .invalidData,
        "'\(path)' crashes the HDF5 library or takes too long (signal \(signal) in a process that looked into it)",
        hint: "the file is damaged or made to do harm")
    }
  }

  /// The word by which the program knows that it is the process which looks.
  static let disposable = "inspect-disposable"
  private static let mostBytes = 512 << 20
  private static let mostSeconds = (file: 8, directory: 60)

  /// That process: `words` are the arguments of the command.
  static func serve(_ words: [String]) -> Int32 {
    do {
      let command = try InspectCommand(Arguments(parsing: words, syntax: syntax))
      let status = try FileSystem.status(of: command.path)
      let isFile = status?.kind == .regular
      try ResourceLimits.forbidCore()
      try ResourceLimits.allowMemory(bytes: mostBytes + (isFile ? status?.bytes ?? 0 : 0))
      try ResourceLimits.allowProcessor(seconds: isFile ? mostSeconds.file : mostSeconds.directory)
      return try command.look()
    } catch {
      let failure = Failure(error)
      StandardStream.error.write(Apus.text(failure))
      return failure.code.rawValue
    }
  }

  private func look() throws -> Int32 {
    let inspection = try Inspector.inspect(path)
    StandardStream.output.write(isJSON ? inspection.json.serialized(pretty: true) : inspection.text)
    return inspection.code.rawValue
  }
}
