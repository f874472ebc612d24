import Foundation
import TestSupport
import Testing

/// `apus launch` over a real `mpirun`.
@Suite(.enabled(if: Python.isAvailable)) struct LaunchCommandTests {
  let folder: TemporaryDirectory

  init() throws {
    folder = try TemporaryDirectory("launch")
    let job = """
      { model: { kind: "mlp", hidden: [200] }, data: { path: "DATA" }, train: { steps: 1500, batch_size: 32, log_every: 1 },
        parallel: { virtual_ranks: 12 }, checkpoint: { every_steps: 20, every_seconds: 0 }, output: "run" }
      """
    try folder.write(text: job.replacing("DATA", with: BadInputFiles.shared.path("good")), to: "job.json")
  }

  private func words(_ options: [String] = [], train: [String] = []) -> [String] {
    let shared = MPILauncher.flags(ranks: 1).dropFirst(2).joined(separator: " ")
    let mpirun = ["--mpirun-option", shared + " " + CommandLineRun.impatient.joined(separator: " ")]
    return ["launch", "--ranks", "3", "--pause", "0.05"] + mpirun + options + ["--", "train", folder.file("job.json")]
      + train
  }

  private func start(_ words: [String]) throws -> RunningProgram {
    try Run.start(Binaries.apus, words, environment: MPILauncher.environment, workingDirectory: folder.path)
  }

  private func step(_ running: RunningProgram, _ checkpoint: Int) -> Bool {
    running.wait {
      ((try? folder.names(in: "run/checkpoints")) ?? []).contains { name in
        name.hasPrefix("step-") && (Int(name.dropFirst(5)) ?? 0) >= checkpoint
      }
    }
  }

  /// The settings of a training that goes on for a while from the newest checkpoint, however far it came.
  private func more() throws -> [String] {
    let newest = try #require(try folder.names(in: "run/checkpoints").last { $0.hasPrefix("step-") })
    return ["--resume", "--set", "train.steps=\((Int(newest.dropFirst(5)) ?? 0) + 50)"]
  }

  /// The processes of `running` that are called `name`.
  private func processes(_ name: String, of running: RunningProgram) -> [Int32] {
    running.descendants.filter { (try? String(contentsOfFile: "/proc/\($0)/comm", encoding: .utf8)) == name + "\n" }
  }

  private func report() throws -> [String: Any] {
    try #require(JSONSerialization.jsonObject(with: Data(try folder.read("report"))) as? [String: Any])
  }

  // MARK: Mistakes

  @Test func usage() throws {
    for (words, message) in [
      (["launch"], "train JOB ... is missing"), (["launch", "--"], "train JOB ... is missing"),
      (["launch", "--", "evaluate", "x"], "launch starts 'train', not 'evaluate'"),
      (["launch", "--", "train"], "JOB is missing"), (["launch", "train", "x", "--resum"], "did you mean '--resume'?"),
      (["launch", "--rank", "2", "train", "x"], "did you mean '--ranks'?"),
      (["launch", "--ranks", "0", "train", "x"], "--ranks needs a number from 1, not '0'"),
      (["launch", "--hosts", "a:", "train", "x"], "--hosts needs hosts with their slots"),
      (["launch", "--pause", "-1", "train", "x"], "--pause needs seconds from 0, not '-1'"),
      (["launch", "--start-limit", "x", "train", "x"], "--start-limit needs seconds from 0, not 'x'"),
      (["launch", "train", "x", "--dry-run"], "--dry-run trains nothing that could be launched"),
    ] {
      try CommandLineRun.fail(words, ranks: 0, in: folder, code: 64, says: [message])
    }
    try CommandLineRun.fail(words(), ranks: 1, in: folder, code: 64, says: ["was itself started by a launcher"])
  }

  @Test func whatTheInputDecidesIsNotTriedAgain() throws {
    try CommandLineRun.fail(
      ["launch", "--", "train", "none.json"], ranks: 0, in: folder, code: 66, says: ["'none.json' does not exist"])
    try CommandLineRun.fail(
      ["launch", "--mpirun", "mpiran", "train", "job.json"], ranks: 0, in: folder, code: 69,
      says: ["cannot start 'mpiran': No such file or directory", "--mpirun names the launcher"])
    let result = try CommandLineRun.apus(words(train: ["--set", "data.path=none.h5"]), ranks: 0, in: folder)
    #expect(result.exitCode == 66 && result.messages.count == 1, "\(result)")
    #expect(result.standardOutput.contains("restarts       0"), "\(result)")
  }

  // MARK: Faults

  /// Killed ranks and a killed `mpirun`; the model is that of a training without faults.
  @Test func crashes() throws {
    let kept = ["--set", "output=whole", "--set", "checkpoint.every_steps=0"]
    try CommandLineRun.succeed(["train", "job.json"] + kept, ranks: 2, in: folder)
    let running = try start(words(["--report", "report"]))
    for (number, victim) in ["apus", "mpirun"].enumerated() {
      #expect(step(running, 100 * (number + 1)))
      let process = try #require(processes(victim, of: running).last)
      kill(process, SIGKILL)
      _ = running.wait { !processes(victim, of: running).contains(process) }
    }
    let result = running.wait()
    #expect(result.exitCode == 0, "\(result)")
    #expect(try folder.read("run/model.safetensors") == folder.read("whole/model.safetensors"))
    let report = try report()
    #expect(report["restarts"] as? Int == 2 && report["useful_steps"] as? Int == 1500, "\(report)")
    let attempts = try #require(report["attempts"] as? [[String: Any]])
    #expect(attempts.map { $0["code"] as? Int } == [137, 137, 0])
    let errors = attempts.map { $0["first_error"] as? String ?? "" }
    #expect(errors[0].contains("exited on signal 9"), "\(errors)")
    #expect(errors[1] == "mpirun was killed by signal 9", "\(errors)")
    #expect(result.standardOutput.contains("to resume      median "), "\(result)")
    CommandLineRun.expectNoProcess(of: folder)
  }

  /// The first error stands first in the last words, whatever came after it.
  @Test func crashThatRepeats() throws {
    // The limit on the size of files is for the ranks alone: mpirun would trip over it first.
    try folder.write(
      text: """
        #!/bin/bash
        for word in "$@"; do
          if [[ $word == */apus ]]; then words+=(bash -c 'ulimit -f 10; exec "$@"' bash); fi
          words+=("$word")
        done
        exec mpirun "${words[@]}"
        """, to: "limited")
    try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: folder.file("limited"))
    let result = try CommandLineRun.apus(
      words(
        ["--mpirun", folder.file("limited"), "--mpirun-option", "--mca btl tcp,self"],
        train: ["--set", "train.steps=30"]), ranks: 0, in: folder)
    #expect(result.exitCode == 74, "\(result)")
    let last = try #require(result.messages.last)
    #expect(
      last.hasPrefix("apus: launch: the first error was: apus: the checkpoint of step 30 was not saved: cannot write"),
      "\(result)")
    #expect(last.hasSuffix("given up after 3 restarts without progress; there is no checkpoint"), "\(result)")
    #expect(result.standardOutput.contains("restarts       3"), "\(result)")
  }

  /// A rank that is stopped before it can be watched.
  @Test func trainingThatDoesNotBegin() throws {
    try folder.write(
      text: """
        #!/bin/bash
        for word in "$@"; do
          if [[ $word == */apus ]]; then
            words+=(bash -c 'if ((OMPI_COMM_WORLD_RANK == 1)); then kill -STOP $$; fi; exec "$@"' bash)
          fi
          words+=("$word")
        done
        exec mpirun "${words[@]}"
        """, to: "stopping")
    try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: folder.file("stopping"))
    let result = try CommandLineRun.apus(
      words(["--mpirun", folder.file("stopping"), "--start-limit", "4", "--restarts", "0"]), ranks: 0, in: folder)
    #expect(!result.timedOut && result.exitCode == 76, "\(result)")
    let report = result.messages.first ?? ""
    #expect(report.contains("the training has not begun; --start-limit allows 4.0 s; rank 1 (host "), "\(result)")
    #expect(report.contains(try Regex("process [0-9]+\\) hangs\n")), "\(result)")
    #expect(report.contains(try Regex("\n +1  .* start  stopped by a signal")), "\(result)")
    CommandLineRun.expectNoProcess(of: folder)
  }

  /// SIGTERM, which `mpirun` would answer by killing, lets the ranks save; the next launch goes on.
  @Test(arguments: [SIGTERM, SIGINT, SIGUSR1, SIGUSR2]) func signals(_ signal: Int32) throws {
    let running = try start(words())
    #expect(step(running, 60))
    running.send(signal)
    let result = running.wait()
    #expect(result.exitCode == 75, "\(result)")
    #expect(result.standardOutput.contains("the state is saved: go on with --resume"), "\(result)")
    #expect(result.standardOutput.contains("lost steps     0"), "\(result)")
    let more = try CommandLineRun.succeed(words(train: more()), ranks: 0, in: folder)
    #expect(more.standardError.contains("resumed after step "), "\(more)")
  }

  /// Nobody is left to supervise, so that the ranks end too; and the next launch finds the run unlocked.
  @Test func killedItself() throws {
    let running = try start(words())
    #expect(step(running, 60))
    running.send(SIGKILL)
    _ = running.wait()
    CommandLineRun.expectNoProcess(of: folder)
    try CommandLineRun.succeed(words(train: more()), ranks: 0, in: folder)
  }

  /// A run is replaced once: a restart goes on with what the launch itself has done.
  @Test func overwriting() throws {
    try CommandLineRun.succeed(
      ["train", "job.json", "--set", "train.steps=500", "--set", "train.seed=2"], ranks: 1, in: folder)
    try CommandLineRun.fail(
      ["train", "job.json"], ranks: 1, in: folder, code: 73, says: ["holds a run already"])
    let running = try start(words(["--report", "report"], train: ["--overwrite"]))
    let begun = running.wait {
      !((try? folder.names(in: "run/checkpoints")) ?? []).contains("step-000000500")
        && folder.contains("run/metrics.jsonl")
    }
    #expect(begun && step(running, 60))
    kill(try #require(processes("apus", of: running).first), SIGKILL)
    let result = running.wait()
    #expect(result.exitCode == 0, "\(result)")
    let attempts = try #require(try report()["attempts"] as? [[String: Any]])
    #expect(attempts.count == 2 && attempts[0]["first_step"] as? Int == 0, "\(attempts)")
    #expect(try #require(attempts[1]["first_step"] as? Int) >= 60)
  }

  // MARK: Many

  /// Ten of the thousand kills that the script makes on its own.
  @Test func campaign() throws {
    let result = try Run.program(
      PackageRoot.file("Scripts/kill-campaign"), ["10", "--seed", "7"], environment: ["APUS_BINARY": Binaries.fastest])
    #expect(result.exitCode == 0, "\(result)")
    #expect(result.standardOutput.contains("recovered    10;"), "\(result)")
    #expect(result.standardOutput.contains("final model  equal byte for byte"), "\(result)")
  }
}
