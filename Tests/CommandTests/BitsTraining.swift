import Foundation
import TestSupport
import Testing

/// Trainings on the handwritten digits, prepared by `apus prepare` into five shards and a split to validate on.
final class DigitsTraining {
  let directory: TemporaryDirectory

  init() throws {
    directory = try TemporaryDirectory("digits")
    let result = try Run.program(
      Binaries.apus,
      [
        "prepare", PackageRoot.file("Datasets/digits/digits.csv"), "--target", "digit", "--output",
        directory.file("digits"), "--shards", "5",
      ], environment: MPILauncher.environment)
    try #require(result.exitCode == 0, "\(result)")
  }

  /// Writes a job file that logs every step and is the same but for `settings`, which are given by `--set` later.
  func job(_ name: String, optimizer: String, train: String, more: String = "", hidden: [Int] = [24, 16])
    throws -> String
  {
    try directory.write(
      text: """
        {
          data: { path: "\(directory.file("digits"))", validation_split: "test" },
          model: { kind: "mlp", hidden: \(hidden), activation: "tanh" },
          penalty: { l2: 1e-4 },
          optimizer: { \(optimizer) },
          train: { log_every: 1, \(train) },
          \(more)
        }
        """, to: name + ".json")
  }

  /// Trains to the end and gives the directory of the run.
  func train(_ job: String, ranks: Int, output: String, options: [String] = []) throws -> DigitsRun {
    let run = DigitsRun(directory.file(output))
    let result = try MPILauncher.run(ranks: ranks, Binaries.apus, arguments(job, run, options))
    try #require(result.exitCode == 0, "\(result)")
    return run
  }

  func arguments(_ job: String, _ run: DigitsRun, _ options: [String]) -> [String] {
    ["train", job, "--set", "output=" + run.path] + options
  }
}

/// What a training left.
struct DigitsRun {
  let path: String

  init(_ path: String) { self.path = path }

  /// The whole file of the model.
  var model: Data { get throws { try Data(contentsOf: URL(fileURLWithPath: path + "/model.safetensors")) } }

  /// The tensors alone, without the metadata before them.
  var tensors: Data {
    get throws {
      let bytes = try model
      let header = (0..<8).reduce(0) { $0 | Int(bytes[$1]) << (8 * $1) }
      return bytes.dropFirst(8 + header)
    }
  }

  var log: TrainingLog { get throws { try TrainingLog(path) } }

  /// The files of all checkpoints by their paths, in their order.
  var checkpointFiles: [CheckpointFile] {
    get throws {
      try checkpoints.flatMap { checkpoint in
        let folder = path + "/checkpoints/" + checkpoint
        return try FileManager.default.contentsOfDirectory(atPath: folder).sorted().map { name in
          CheckpointFile(
            name: checkpoint + "/" + name, bytes: try Data(contentsOf: URL(fileURLWithPath: folder + "/" + name)))
        }
      }
    }
  }

  struct CheckpointFile: Equatable {
    let name: String
    let bytes: Data
  }

  var checkpoints: [String] {
    ((try? FileManager.default.contentsOfDirectory(atPath: path + "/checkpoints")) ?? []).sorted()
  }
}
