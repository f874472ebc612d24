import Foundation
import TestSupport
import Testing

/// Ranks that hold parts of a model and fail: all others end in time, with one message, and what was written before is whole.
@Suite(.enabled(if: Python.isAvailable)) struct FaultLayoutTests {
  let training: EndlessTraining
  let files = BadInputFiles.shared

  /// A pipeline of three stages.
  init() throws {
    training = try EndlessTraining(
      "parts",
      """
      model: { kind: "mlp", hidden: [150, 40] }, parallel: { pipeline: 3, micro_batches: 2, virtual_ranks: 4 }
      """)
  }

  private var folder: TemporaryDirectory { training.folder }
  private var arguments: [String] { training.arguments }

  /// The newest checkpoint is whole: one rank alone goes on from it.
  private func expectResume(sourceLocation: SourceLocation = #_sourceLocation) throws {
    let (step, result) = try training.resume(
      ["--set", "parallel.pipeline=1"], ranks: 1, sourceLocation: sourceLocation)
    #expect(result.standardError.contains("resumed after step \(step)"), "\(result)", sourceLocation: sourceLocation)
  }

  // MARK: Files that one rank cannot write

  /// Only one rank may write no more than 10 KiB into a file: the checkpoint is given up on all, with its message.
  @Test(arguments: [[], ["pipeline=1"], ["pipeline=1", "tensor=3"], ["pipeline=1", "shard_optimizer=true"]], [1, 2])
  func checkpointThatOneRankCannotWrite(settings: [String], rank: Int) throws {
    let script = """
      [ $OMPI_COMM_WORLD_RANK = \(rank) ] && ulimit -f 4
      exec "$@"
      """
    let result = try MPILauncher.run(
      ranks: 3, "bash",
      ["-c", script, "bash", Binaries.apus] + arguments
        + (settings.map { "parallel." + $0 } + ["train.steps=7"])
        .flatMap { ["--set", $0] },
      // Without shared memory between the ranks, whose files would hit the limit first.
      options: CommandLineRun.impatient + ["--mca", "btl", "tcp,self"], workingDirectory: folder.path)
    CommandLineRun.expectFailure(
      result, code: 74,
      says: [
        "the checkpoint of step 7 was not saved: cannot write 'run/checkpoints/.partial/",
        "File too large", "hint: a checkpoint takes",
      ], warns: true)
    #expect(result.standardError.contains("warning: the checkpoint of step 5 was not saved: cannot write"), "\(result)")
    CommandLineRun.expectNoProcess(of: folder)
    #expect(result.duration < Patience.seconds)
    #expect(try folder.names(in: "run/checkpoints").isEmpty, "nothing half written is left")
    #expect(!folder.contains("run/model.safetensors"))
  }

  /// The last file of all: the model, which is not there unless it is whole.
  @Test func modelThatOneRankCannotWrite() throws {
    let script = """
      [ $OMPI_COMM_WORLD_RANK = 2 ] && ulimit -f 4
      exec "$@"
      """
    let more = ["--set", "checkpoint.every_steps=0", "--set", "train.epochs=null", "--set", "train.steps=2"]
    let result = try MPILauncher.run(
      ranks: 3, "bash", ["-c", script, "bash", Binaries.apus] + arguments + more,
      options: CommandLineRun.impatient + ["--mca", "btl", "tcp,self"], workingDirectory: folder.path)
    CommandLineRun.expectFailure(result, code: 74, says: ["cannot write 'run/.model.safetensors.", "File too large"])
    let left = try FileManager.default.contentsOfDirectory(atPath: folder.file("run"))
    #expect(!left.contains { $0.contains("safetensors") }, "\(left)")
  }

  // MARK: Loss of a rank

  @Test(arguments: [0, 1, 2]) func killedStage(_ stage: Int) throws {
    let running = try training.running()
    try training.kill(rank: stage, of: running)
    try expectResume()
  }

  @Test(arguments: [1, 2]) func killedPart(_ rank: Int) throws {
    let settings = ["pipeline=1", "tensor=2", "shard_optimizer=true"]
    let running = try training.running(settings.flatMap { ["--set", "parallel." + $0] }, ranks: 4)
    try training.kill(rank: rank, of: running)
    try expectResume()
  }

  // MARK: Rows that one stage cannot read

  /// The features are read by the first stage alone, the targets by the last: whichever fails, all ranks say why and end.
  @Test(arguments: ["nan", "negative"], [["pipeline=3"], ["pipeline=1", "tensor=3"], ["pipeline=2", "tensor=2"]])
  func rowsThatOneStageCannotRead(data: String, settings: [String]) throws {
    let ranks = settings.contains("pipeline=2") ? 4 : 3
    let result = try CommandLineRun.apus(
      arguments + ["--set", "data.path=\(files.path(data))"] + settings.flatMap { ["--set", "parallel." + $0] },
      ranks: ranks, in: folder)
    CommandLineRun.expectFailure(
      result, code: 65,
      says: data == "nan" ? ["row 17, column 2: not a number (NaN)"] : ["row 11: the label is -1"])
    CommandLineRun.expectNoProcess(of: folder)
    #expect(result.duration < Patience.seconds)
  }

  /// The same in a validation, whose rows are read by the first stage and by the last as well.
  @Test(arguments: ["features", "targets"]) func validationThatOneStageCannotRead(_ part: String) throws {
    let rows = (0..<4000).map { "\($0 % 7),\($0 % 5),\(Double($0 % 11) / 3)\n" }.joined()
    try folder.write(text: "a,b,y\n" + rows, to: "table.csv")
    try CommandLineRun.succeed(
      ["prepare", "table.csv", "--target", "y", "--task", "regression", "--output", "data", "--test", "0.7"], ranks: 0,
      in: folder)
    try Python.text(
      """
      import glob, h5py, numpy as np, sys
      with h5py.File(glob.glob("data/test-*.h5")[0], "r+") as file:
          row = np.atleast_1d(file[sys.argv[1]][2700]); row[-1] = np.inf
          file[sys.argv[1]][2700] = row if sys.argv[1] == "features" else row[0]
      """, [part], workingDirectory: folder.path)
    let result = try CommandLineRun.apus(
      arguments + ["--set", "data.path=data", "--set", "data.validation_split=test", "--set", "train.batch_size=full"],
      ranks: 3, in: folder)
    CommandLineRun.expectFailure(result, code: 65, says: ["'data/test-", "row 2700, "])
    CommandLineRun.expectNoProcess(of: folder)
    #expect(result.duration < Patience.seconds)
  }

  // MARK: Divergence

  /// What only some ranks can see in their part of the model ends all of them.
  @Test(arguments: [["pipeline=3"], ["pipeline=1", "tensor=3"]]) func divergence(_ settings: [String]) throws {
    let more = ["optimizer.kind=sgd", "optimizer.learning_rate=1e30", "checkpoint.every_steps=1"]
    let all = more + settings.map { "parallel." + $0 }
    let result = try CommandLineRun.apus(arguments + all.flatMap { ["--set", $0] }, ranks: 3, in: folder)
    CommandLineRun.expectFailure(
      result, code: 65,
      says: ["is not finite, though the data are: the training diverges", "lower optimizer.learning_rate"])
    CommandLineRun.expectNoProcess(of: folder)
    #expect(!folder.contains("run/model.safetensors"))
  }
}
