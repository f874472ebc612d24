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

  func run() throws -> Int32 {
    let inspection = try Inspector.inspect(path)
    StandardStream.output.write(isJSON ? inspection.json.serialized(pretty: true) : inspection.text)
    return inspection.code.rawValue
  }
}
