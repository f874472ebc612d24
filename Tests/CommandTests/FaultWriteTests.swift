import Foundation
import Glibc
import TestSupport
import Testing

/// Rank 0 that cannot write, and ranks that die: all others end in time, and what was written before is whole.
@Suite(.enabled(if: Python.isAvailable)) struct FaultWriteTests {
  let training: EndlessTraining

  init() throws {
    training = try EndlessTraining("write", "model: { kind: \"mlp\", hidden: [200] }")
  }

  private var folder: TemporaryDirectory { training.folder }
  private var arguments: [String] { training.arguments }

  private func expectEnd(
    _ result: RunResult, code: Int32, says words: [String], warns: Bool = false,
    sourceLocation: SourceLocation = #_sourceLocation
  ) {
    CommandLineRun.expectFailure(result, code: code, says: words, warns: warns, sourceLocation: sourceLocation)
    CommandLineRun.expectNoProcess(of: folder, sourceLocation: sourceLocation)
  }

  // MARK: Checkpoints that cannot be written

  /// Two checkpoints on the way, and the last.
  private static let short = ["--set", "train.steps=12"]
  private static let goesOn = "; the training goes on (a checkpoint takes 21 KiB"

  /// The training goes on while nothing can be saved; only when it is to end that is a failure.
  @Test func checkpointFolderThatIsAFile() throws {
    let running = try training.running()
    // The ranks stand still, or one could make the folder anew in between.
    let ranks = running.descendants
    for process in ranks { kill(process, SIGSTOP) }
    try FileManager.default.moveItem(atPath: folder.file("run/checkpoints"), toPath: folder.file("run/kept"))
    try folder.write(text: "in the way", to: "run/checkpoints")
    for process in ranks { kill(process, SIGCONT) }
    let warned = running.wait { running.errorSoFar.contains(Self.goesOn) }
    #expect(warned, "\(running.errorSoFar)")
    running.send(SIGUSR1)
    let result = running.wait()
    expectEnd(
      result, code: 73,
      says: ["the checkpoint of step ", " was not saved: cannot ", "hint: a checkpoint takes", "is intact"], warns: true
    )
    try FileManager.default.removeItem(atPath: folder.file("run/checkpoints"))
    try FileManager.default.moveItem(atPath: folder.file("run/kept"), toPath: folder.file("run/checkpoints"))
    try training.resume(ranks: 2)
  }

  /// The write beyond the limit is an error with a message, and not a death by SIGXFSZ.
  @Test func limitOnTheSizeOfFiles() throws {
    // Without shared memory between the ranks, whose files would hit the limit first. The model takes 6 KiB, its moments 12.
    let result = try MPILauncher.run(
      ranks: 3, "bash", ["-c", "ulimit -f 10; exec \"$@\"", "bash", Binaries.apus] + arguments + Self.short,
      options: CommandLineRun.impatient + ["--mca", "btl", "tcp,self"], workingDirectory: folder.path)
    expectEnd(
      result, code: 74,
      says: [
        "the checkpoint of step 12 was not saved: cannot write", "optimizer.safetensors",
        "File too large (the limit is that of ulimit -f",
      ], warns: true)
    for step in [5, 10] {
      #expect(result.standardError.contains("warning: the checkpoint of step \(step) was not saved"))
    }
    #expect(result.standardError.contains(Self.goesOn), "\(result)")
    #expect(result.duration < Patience.seconds)
    #expect(try folder.names(in: "run/checkpoints").isEmpty, "nothing half written is left")
  }

  @Test(.enabled(if: FaultMachine.canMount)) func fullDisk() throws {
    try folder.write(text: "", to: "small/place")
    let result = try Run.shell(
      """
      mount -t tmpfs -o size=40k none small || exit 99
      mpirun \((MPILauncher.flags(ranks: 3) + CommandLineRun.impatient).joined(separator: " ")) \
        '\(Binaries.apus)' \((arguments + Self.short).joined(separator: " ")) --set output=small/run
      code=$?; ls -A small/run/checkpoints >names; umount small; exit $code
      """, environment: MPILauncher.environment, workingDirectory: folder.path)
    expectEnd(
      result, code: 74,
      says: [
        "the checkpoint of step 12 was not saved: cannot write 'small/run/checkpoints/", "No space left on device",
        "hint: a checkpoint takes 21 KiB",
      ], warns: true)
    #expect(result.duration < Patience.seconds)
    let names = try folder.readText("names")
    #expect(!names.contains("partial"), "nothing half written is left: \(names)")
  }

  /// The output directory itself cannot be made, or belongs to another run that is under way.
  @Test func outputThatCannotBeMade() throws {
    try folder.write(text: "", to: "file")
    try CommandLineRun.fail(
      arguments + ["--set", "output=file/run"], ranks: 3, in: folder, code: 73,
      says: ["the output directory 'file/run' cannot be used: cannot create 'file/run': Not a directory"])
    let running = try training.running()
    try CommandLineRun.fail(
      arguments + ["--resume"], ranks: 2, in: folder, code: 73,
      says: [
        "the output directory 'run' cannot be used", "another process holds the lock",
        "hint: another apus train writes there",
      ])
    running.send(SIGTERM)
    let result = running.wait()
    #expect(!result.timedOut)
  }

  // MARK: Loss of a rank

  @Test(arguments: [0, 2]) func killedRank(_ rank: Int) throws {
    let running = try training.running()
    try training.kill(rank: rank, of: running)
    try training.resume(ranks: 2)
  }

  /// Nobody but the kernel could end the ranks.
  @Test func killedLauncher() throws {
    let running = try training.running()
    running.send(SIGKILL)
    _ = running.wait()
    CommandLineRun.expectNoProcess(of: folder)
    try training.resume(ranks: 2)
  }
}
