import Foundation
import TestSupport
import Testing

/// The batch scripts of Jobs/, submitted with sbatch to a real Slurm.
@Suite(
  .serialized, .localSlurm(nodes: 1),
  .enabled(if: SlurmLocal.isInstalled, "needs munged, slurmctld and slurmd, which Scripts/setup installs"))
struct SlurmTests {
  @Test(arguments: ["srun", "mpirun"]) func trains(launcher: String) async throws {
    let slurm = try #require(SlurmLocal.current)
    let folder = try JobsFolder()
    let commands = try JobsFolder.commands("digits-softmax")
    try folder.text(commands[0])

    let number = try slurm.submit("Jobs/digits-softmax/run.sbatch", "LAUNCHER=\(launcher)", in: folder)
    let job = try await slurm.wait(for: number)
    let log = try folder.directory.readText("digits-softmax-\(number).log")
    try #require(job["JobState"] == "COMPLETED", "\(job)\n\(log)")
    #expect(job["ExitCode"] == "0:0")
    #expect(job["Restarts"] == "0")

    // Two ranks that found each other, not two worlds of one.
    #expect(log.contains("2 ranks"), "\(log)")
    #expect(log.ranges(of: "training softmax").count == 1, "\(log)")
    #expect(log.contains("runs/digits-softmax/model.safetensors"), "\(log)")
    let names = try folder.directory.names(in: "runs/digits-softmax")
    for name in ["job.json", "metrics.jsonl", "model.safetensors"] { #expect(names.contains(name)) }
    #expect(try steps(folder, "digits-softmax").last == 2_700)
    let metrics = try folder.text(commands[2])
    let accuracy = try #require(metrics.firstMatch(of: /accuracy +([0-9.]+) %/)?.output.1)
    #expect(try #require(Double(accuracy)) >= 95)
  }

  /// USR1 reaches the script, as `--signal=B:USR1` sends it before the time limit: the ranks save and exit with 75, the script queues
  /// the job again, and the job goes on to the model that it would have reached without.
  @Test func goesOnAfterSignal() async throws {
    // Side by side: a requeued job waits for seconds.
    async let steps: Void = goesOn(launcher: "srun")
    async let ranks: Void = goesOn(launcher: "mpirun")
    _ = try await (steps, ranks)
  }

  private func goesOn(launcher: String) async throws {
    let slurm = try #require(SlurmLocal.current)
    let folder = try JobsFolder()
    try folder.text(try JobsFolder.commands("digits-mlp")[0])
    // A second or more of training; unoptimised code takes it for a twentieth.
    let epochs = Binaries.release == nil ? 10 : 400
    let job = try folder.directory.readText("Jobs/digits-mlp/job.json")
      .replacing("epochs: 30,", with: "epochs: \(epochs),")
    try #require(job.contains("epochs: \(epochs),"))
    try folder.directory.write(text: job, to: "long.json")

    let number = try slurm.submit("Jobs/digits-mlp/run.sbatch", "LAUNCHER=\(launcher)", "JOB=long.json", in: folder)
    let deadline = ContinuousClock.now + Patience.most
    while try steps(folder, "digits-mlp").count < 5, ContinuousClock.now < deadline {
      try await Task.sleep(for: .milliseconds(20))
    }
    try slurm.text("scancel --batch --signal=USR1 \(number)")
    let end = try await slurm.wait(for: number)
    let log = try folder.directory.readText("digits-mlp-\(number).log")
    try #require(end["JobState"] == "COMPLETED", "\(end)\n\(log)")
    #expect(end["ExitCode"] == "0:0")
    #expect(end["Restarts"] == "1")
    // The script says this where the ranks left with 75, and then queues the job again.
    #expect(log.contains("stopped early with the state saved; queueing job \(number) again"), "\(log)")
    #expect(log.contains("resumed after step"), "\(log)")

    let written = try steps(folder, "digits-mlp")
    #expect(written == Array(Set(written)).sorted(), "no step is lost or done twice")
    #expect(written.last == 45 * epochs)
    let model = try folder.directory.read("runs/digits-mlp/model.safetensors")
    try folder.text("apus train long.json --overwrite")
    #expect(try folder.directory.read("runs/digits-mlp/model.safetensors") == model, "as without the interruption")
  }

  /// The steps in a run's log, validations left out.
  private func steps(_ folder: JobsFolder, _ run: String) throws -> [Int] {
    guard folder.directory.contains("runs/\(run)/metrics.jsonl") else { return [] }
    return try folder.directory.readText("runs/\(run)/metrics.jsonl").split(separator: "\n").compactMap { line in
      guard !line.contains("validation_loss") else { return nil }
      return line.firstMatch(of: /"step":([0-9]+)/).flatMap { Int($0.output.1) }
    }
  }
}
