import Foundation
import TestSupport
import Testing

/// One rank that fails, in each phase of a training: all ranks end in time, with its message and its exit code.
@Suite(.enabled(if: Python.isAvailable)) struct FaultPhaseTests {
  let folder: TemporaryDirectory
  let files = BadInputFiles.shared

  init() throws {
    folder = try TemporaryDirectory("fault")
    let job = """
      { model: { kind: "linear" }, optimizer: { kind: "sgd", learning_rate: 1e-3 }, data: { path: "data.h5" }, output: "run",
        train: { batch_size: 4000, shuffle: false, epochs: 1 }, checkpoint: { every_steps: 10 } }
      """
    try folder.write(text: job, to: "job.json")
  }

  /// Writes `data.h5`: so many rows that each of two ranks holds a window of its own and never all of them.
  private func writeLargeData(_ damage: String = "") throws {
    try Python.text(
      """
      import h5py, numpy as np
      rows, columns = 140_000, 64
      with h5py.File("data.h5", "w") as file:
          x = np.random.default_rng(1).normal(size=(rows, columns)).astype("f4")
          file.create_dataset("features", data=x, chunks=(4096, columns), fletcher32=True)
          file["targets"] = x[:, 0]
      \(damage)
      """, workingDirectory: folder.path)
  }

  private func expectEnd(
    _ result: RunResult, code: Int32, says words: [String], sourceLocation: SourceLocation = #_sourceLocation
  ) {
    CommandLineRun.expectFailure(result, code: code, says: words, sourceLocation: sourceLocation)
    CommandLineRun.expectNoProcess(of: folder, sourceLocation: sourceLocation)
  }

  /// The arguments of a training, with the folder's name in them by which its processes are found.
  private func arguments(_ more: [String]) -> [String] { ["train", folder.file("job.json")] + more }

  // MARK: Before the first step

  @Test func readingTheJob() throws {
    let result = try CommandLineRun.fail(
      ["train", folder.file("jobs.json")], ranks: 3, in: folder, code: 66,
      says: ["the job file '\(folder.file("jobs.json"))' does not exist"])
    expectEnd(result, code: 66, says: [])
  }

  /// Shard 2 is looked at by rank 2 alone.
  @Test func openingShards() throws {
    try Python.text(
      """
      import shutil, sys
      for i in range(4): shutil.copyfile(f"{sys.argv[1]}/part-{i}.h5", f"part-{i}.h5")
      open("part-2.h5", "r+b").truncate(3000)
      """, [files.path("good")], workingDirectory: folder.path)
    let result = try CommandLineRun.apus(arguments(["--set", "data.path=part-*.h5"]), ranks: 3, in: folder)
    expectEnd(
      result, code: 65,
      says: ["'part-2.h5' is truncated: it has 3000 bytes and its header says", "\n   2  part-2.h5  <- is truncated"])
    #expect(result.duration < Patience.seconds)
    #expect(!folder.contains("run"))
  }

  /// Every rank exits by itself, with the same code.
  @Test func everyRankHasTheCode() throws {
    // mpirun kills the others soon after one has ended: none does before all have said their code.
    let script = """
      trap '' TERM
      "$@"; code=$?
      echo $code > code-$OMPI_COMM_WORLD_RANK
      for ((wait = 0; wait < 200; wait++)); do
        [[ -s code-0 && -s code-1 && -s code-2 ]] && break
        sleep 0.1
      done
      exit $code
      """
    let data = files.path("nan-everywhere")
    for (code, more) in [
      (65, ["--set", "data.path=\(data)", "--set", "train.batch_size=full"]), (78, ["--set", "train.sed=1"]),
    ] {
      let names = (0..<3).map { "code-\($0)" }
      defer { for name in names { try? FileManager.default.removeItem(atPath: folder.file(name)) } }
      let result = try MPILauncher.run(
        ranks: 3, "bash", ["-c", script, "bash", Binaries.apus] + arguments(more), workingDirectory: folder.path)
      #expect(result.exitCode == Int32(code), "\(result)")
      #expect(try names.map(folder.readText) == Array(repeating: "\(code)\n", count: 3))
    }
  }

  // MARK: In a step

  /// The last row of all: the last window of the last rank.
  @Test(arguments: ["ordered", "fast"]) func lateInAnEpoch(_ reduction: String) throws {
    try writeLargeData(
      """
      with h5py.File("data.h5", "r+") as file: file["features"][rows - 1, 63] = np.nan
      """)
    let result = try CommandLineRun.apus(
      arguments(["--set", "parallel.reduction=\(reduction)"]), ranks: 2, in: folder)
    expectEnd(result, code: 65, says: ["'data.h5', row 139999, column 63: not a number (NaN)"])
    // What was written before is whole: the run goes on when the data are mended.
    #expect(try !folder.names(in: "run/checkpoints").isEmpty && !folder.contains("run/model.safetensors"))
    try Python.text(
      "import h5py\\nwith h5py.File('data.h5', 'r+') as file: file['features'][139_999, 63] = 0".replacing(
        "\\n", with: "\n"),
      workingDirectory: folder.path)
    let resumed = try CommandLineRun.succeed(arguments(["--resume"]), ranks: 3, in: folder)
    #expect(resumed.standardError.contains("resumed after step"), "\(resumed)")
    #expect(resumed.standardOutput.contains("35 steps, 140,000 samples"), "\(resumed)")
  }

  /// The file is whole in the first epoch, and damaged while the training goes on.
  @Test func inTheSecondEpoch() throws {
    try writeLargeData()
    let running = try start(["--set", "train.epochs=1000"])
    let metrics = "run/metrics.jsonl"
    let begun = running.wait {
      (try? folder.readText(metrics))?.contains(#""epoch":2"#) ?? false
    }
    #expect(begun)
    // Bytes in the chunks of the last rank's rows.
    try Python.text(
      """
      import h5py
      with h5py.File("data.h5", "r") as file:
          set = file["features"].id
          places = [set.get_chunk_info(i).byte_offset + 7 for i in range(set.get_num_chunks() // 2 + 1, set.get_num_chunks())]
      with open("data.h5", "r+b") as file:
          for place in places:
              file.seek(place); byte = file.read(1); file.seek(place); file.write(bytes([byte[0] ^ 1]))
      """, workingDirectory: folder.path)
    let damaged = ContinuousClock.now
    let result = running.wait()
    #expect(ContinuousClock.now - damaged < Patience.seconds, "\(result)")
    expectEnd(result, code: 65, says: ["rows ", "of '/features' in 'data.h5': the stored bytes are damaged"])
    let newest = try #require(try folder.names(in: "run/checkpoints").last)
    #expect(newest.hasPrefix("step-") && folder.contains("run/checkpoints/\(newest)/manifest.json"))
  }

  private func start(_ more: [String]) throws -> RunningProgram {
    try MPILauncher.start(
      ranks: 2, Binaries.apus, arguments(more), options: CommandLineRun.impatient, workingDirectory: folder.path)
  }

  /// The first SIGINT waits for the end of the step, the second for nothing.
  @Test func secondInterrupt() throws {
    try writeLargeData()
    // A step of minutes.
    let settings = [
      "model.kind=mlp", "model.hidden=[3000, 3000]", "train.batch_size=full", "parallel.micro_batches=200",
      "loss=squared",
    ]
    let running = try Run.start(
      Binaries.apus, arguments(settings.flatMap { ["--set", $0] }), environment: MPILauncher.environment,
      workingDirectory: folder.path)
    #expect(running.wait { running.errorSoFar.contains("training ") })
    running.send(SIGINT)
    // Two that come together are one.
    #expect(running.wait { !CommandLineRun.isPending(SIGINT, of: running.processIdentifier) })
    #expect(running.isRunning)
    let since = ContinuousClock.now
    running.send(SIGINT)
    let result = running.wait()
    #expect(result.exitCode == 130 && ContinuousClock.now - since < Patience.seconds, "\(result)")
  }

  // MARK: Divergence

  /// Finite data and a learning rate far too large: the step that cannot be taken is not, and the checkpoint before it is good.
  @Test func lossThatIsNotFinite() throws {
    try Python.text(
      """
      import h5py, numpy as np
      x = np.random.default_rng(1).normal(size=(300, 5)).astype("f4")
      with h5py.File("data.h5", "w") as file: file["features"] = x; file["targets"] = x[:, 0]
      """, workingDirectory: folder.path)
    let job = ["--set", "train.batch_size=100", "--set", "train.epochs=20", "--set", "checkpoint.every_steps=1"]
    let result = try CommandLineRun.apus(
      arguments(job + ["--set", "optimizer.learning_rate=1e12"]), ranks: 3, in: folder)
    expectEnd(
      result, code: 65,
      says: [
        "is not finite, though the data are: the training diverges",
        "hint: lower optimizer.learning_rate, set train.clip_norm",
        "the checkpoint of step", "is intact",
      ])
    #expect(!folder.contains("run/model.safetensors"))
    let lines = try folder.readText("run/metrics.jsonl")
    #expect(!lines.contains("null") && !lines.contains("nan"), "a step that was not applied is not logged")
    let checkpoints = try folder.names(in: "run/checkpoints")
    let finite: [Bool] = try Python.value(
      """
      import json, sys, numpy as np
      from safetensors.numpy import load_file
      print(json.dumps([all(bool(np.isfinite(t).all()) for t in load_file(f"run/checkpoints/{c}/model.safetensors").values()) for c in sys.argv[1:]]))
      """, checkpoints, workingDirectory: folder.path)
    #expect(!finite.isEmpty && finite.allSatisfy { $0 })
    // With a sensible learning rate the same run goes on.
    try CommandLineRun.succeed(
      arguments(job + ["--overwrite", "--set", "optimizer.learning_rate=1e-2"]), ranks: 2, in: folder)
  }

  /// The numbers run away in the very last step, after which no other would notice.
  @Test func lastStepThatDiverges() throws {
    try Python.text(
      """
      import h5py, numpy as np
      with h5py.File("data.h5", "w") as file: file["features"] = np.full((10, 1), 1e4, "f4"); file["targets"] = np.zeros(10, "f4")
      """, workingDirectory: folder.path)
    let result = try CommandLineRun.apus(
      arguments(["--set", "train.batch_size=full", "--set", "optimizer.learning_rate=1e35"]), ranks: 3, in: folder)
    expectEnd(result, code: 65, says: ["a parameter after step 1 is not finite", "the training diverges"])
    #expect(!folder.contains("run/model.safetensors") && !folder.contains("run/checkpoints"))
  }
}
