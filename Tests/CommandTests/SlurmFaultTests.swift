import Foundation
import Glibc
import TestSupport
import Testing

/// What happens to jobs of a real Slurm in the night: the time limit, an end by the user, a rank that dies, arrays.
@Suite(
  .serialized, .localSlurm(nodes: 1),
  .enabled(if: SlurmLocal.isInstalled, "needs munged, slurmctld and slurmd, which Scripts/setup installs"))
struct SlurmFaultTests {
  /// A folder with a training that never ends by itself.
  private func endless() throws -> JobsFolder {
    let folder = try JobsFolder()
    try folder.text(try JobsFolder.commands("digits-mlp")[0])
    let job = try folder.directory.readText("Jobs/digits-mlp/job.json").replacing(
      "epochs: 30,", with: "epochs: 10000000,"
    )
    .replacing("output:", with: "checkpoint: { every_steps: 50, every_seconds: 0 }, output:")
    try #require(job.contains("10000000") && job.contains("every_steps"))
    try folder.directory.write(text: job, to: "endless.json")
    return folder
  }

  private func wait(_ time: Duration = Patience.most, until condition: () throws -> Bool) async throws -> Bool {
    let deadline = ContinuousClock.now + time
    while ContinuousClock.now < deadline {
      if try condition() { return true }
      try await Task.sleep(for: .milliseconds(100))
    }
    return try condition()
  }

  private func log(_ folder: JobsFolder, _ job: Int) -> String {
    (try? folder.directory.readText("digits-mlp-\(job).log")) ?? ""
  }

  private func hasCheckpoints(_ folder: JobsFolder) -> Bool {
    ((try? folder.directory.names(in: "runs/digits-mlp/checkpoints")) ?? []).contains { $0.hasPrefix("step-") }
  }

  /// The newest checkpoint is whole: the run goes on from it and ends.
  private func expectGoesOn(_ folder: JobsFolder) throws {
    let newest = try #require(
      try folder.directory.names(in: "runs/digits-mlp/checkpoints").last { $0.hasPrefix("step-") })
    let step = try #require(Int(newest.dropFirst("step-".count)))
    let result = try folder.shell(
      "mpirun -n 3 apus train endless.json --resume --set train.epochs=null --set train.steps=\(step + 2)")
    #expect(result.exitCode == 0 && result.standardError.contains("resumed after step"), "\(result)")
  }

  /// The processes of ranks that work in the folder.
  private func ranks(_ folder: JobsFolder) throws -> [Int32] {
    let lines = try Run.shell(
      """
      for p in /proc/[0-9]*; do
        [[ $(cat "$p/comm" 2>/dev/null) == apus && $(readlink "$p/cwd" 2>/dev/null) -ef "\(folder.directory.path)" ]] && echo "${p#/proc/}"
      done; true
      """
    ).outputLines
    return lines.compactMap { Int32($0) }
  }

  /// The limit comes near, Slurm signals, the ranks save, the job queues itself and goes on; then its user ends it.
  @Test func timeLimitAndCancel() async throws {
    let slurm = try #require(SlurmLocal.current)
    let folder = try endless()
    // A minute is the least that Slurm allows; the signal comes as soon as Slurm looks at the job.
    let number = try slurm.submit(
      "Jobs/digits-mlp/run.sbatch", "LAUNCHER=srun", "JOB=endless.json",
      options: ["--time=1", "--signal=B:USR1@55"], in: folder)
    let hasGoneOn = try await wait { log(folder, number).contains("resumed after step") }
    #expect(hasGoneOn, "\(log(folder, number))")
    #expect(log(folder, number).contains("stopped early with the state saved; queueing job \(number) again"))
    let description = try slurm.describe(number)
    #expect((description["Restarts"].flatMap { Int($0) } ?? 0) >= 1, "\(description)")

    // Again where it falls into the moment in which the job queues itself once more.
    let isCancelled = try await wait {
      try slurm.text("scancel \(number) || true")
      return try slurm.describe(number)["JobState"] == "CANCELLED"
    }
    #expect(isCancelled)
    let areGone = try await wait(Patience.seconds) { try ranks(folder).isEmpty }
    #expect(areGone)
    try expectGoesOn(folder)
  }

  /// A rank is lost: the job ends, nothing is left of it, and the next one goes on. mpirun ends the other ranks at once; srun asks them to,
  /// and ends those that wait for the lost one after KillWait, half a minute unless the site says otherwise.
  @Test(arguments: ["srun", "mpirun"]) func lostRank(launcher: String) async throws {
    let slurm = try #require(SlurmLocal.current)
    let folder = try endless()
    let number = try slurm.submit(
      "Jobs/digits-mlp/run.sbatch", "LAUNCHER=\(launcher)", "JOB=endless.json", in: folder)
    let hasSaved = try await wait { hasCheckpoints(folder) }
    #expect(hasSaved, "\(log(folder, number))")
    let victim = try #require(try ranks(folder).last)
    kill(victim, SIGKILL)
    let end = try await slurm.wait(for: number)
    #expect(end["JobState"] == "FAILED" && end["ExitCode"] != "0:0", "\(end)\n\(log(folder, number))")
    let areGone = try await wait(Patience.seconds) { try ranks(folder).isEmpty }
    #expect(areGone)
    try expectGoesOn(folder)
  }

  /// Each job of an array has its seed, its run and its log.
  @Test func array() async throws {
    let slurm = try #require(SlurmLocal.current)
    let folder = try JobsFolder()
    try folder.text(try JobsFolder.commands("digits-softmax")[0])
    let short = try folder.directory.readText("Jobs/digits-softmax/job.json").replacing(
      /epochs: [0-9]+/, with: "epochs: 1")
    try folder.directory.write(text: short, to: "short.json")
    let number = try slurm.submit(
      "Jobs/digits-softmax/run.sbatch", "JOB=short.json", options: ["--array=1-2"], in: folder)
    let haveEnded = try await wait {
      try slurm.text("squeue --noheader --job \(number)").trimmingCharacters(in: .whitespacesAndNewlines).isEmpty
    }
    #expect(haveEnded)
    let models = try (1...2).map { try folder.directory.read("runs/digits-softmax-\($0)/model.safetensors") }
    #expect(models[0] != models[1])
    for seed in 1...2 {
      #expect(try folder.directory.readText("runs/digits-softmax-\(seed)/job.json").contains("\"seed\": \(seed)"))
    }
  }
}
