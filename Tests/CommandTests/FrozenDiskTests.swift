import Foundation
import TestSupport
import Testing

/// A file system that does not answer: what is written to it never ends, without an error.
@Suite(.serialized, .enabled(if: LoopDisk.obstacle.isEmpty, "\(LoopDisk.obstacle)"))
struct FrozenDiskTests {
  /// Takes six seconds: the four of the deadline, and those that mpirun gives ranks which cannot be killed.
  @Test func checkpointThatHangs() throws {
    let disk = try LoopDisk()
    let training = try EndlessTraining(
      "frozen",
      """
      model: { kind: "softmax" },
      watchdog: { start: 60, reading: 60, step: 60, collective: 60, checkpoint: 4, evaluation: 60 }
      """)
    try FileManager.default.createSymbolicLink(
      atPath: training.folder.file("run"), withDestinationPath: disk.path)
    let running = try training.running(["--set", "train.log_every=1000000000"])
    try disk.freeze()
    let since = ContinuousClock.now
    let result = running.wait(timeout: .seconds(60))
    let seconds = (ContinuousClock.now - since).inSeconds
    try disk.thaw()
    #expect(!result.timedOut && result.exitCode == 76 && seconds > 3, "\(seconds) s\n\(result)")
    let report = result.messages.first { $0.contains("watchdog.") } ?? ""
    #expect(report.contains(try Regex("rank [012] .* hangs: checkpoint after step [0-9,]+; watchdog.checkpoint")))
    CommandLineRun.expectNoProcess(of: training.folder)
    try training.resume(ranks: 2)
  }

  /// The test's own process is killed while the file system is frozen.
  @Test func nothingIsLeftFrozen() throws {
    let owner = try Run.start("sleep", ["1000"])
    let disk = try LoopDisk(owner: owner.processIdentifier)
    try disk.freeze()
    let writer = try Run.start("touch", [disk.path + "/never"])
    #expect(writer.isRunning)
    owner.send(SIGKILL)
    _ = owner.wait(timeout: .seconds(10))
    #expect(disk.isGone)
    #expect(!writer.wait(timeout: .seconds(30)).timedOut)
  }
}
