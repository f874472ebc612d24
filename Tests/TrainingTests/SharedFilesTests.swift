import Files
import TestSupport
import Testing

@testable import Training

/// Checkpoints and models that several ranks write together.
@Suite struct SharedFilesTests {
  /// Whichever system call of whichever rank fails, and however: all ranks say the same, training goes on where it can, and what is
  /// there is whole and of one step.
  @Test func everyCallOfEveryRankMayFail() throws {
    try TemporaryDirectory.with { directory in
      // Thousands of flushes would take minutes on a disk; what they are for, CrashStateTests shows.
      let memory = "/dev/shm/apus-\(directory.path.split(separator: "-").last ?? "writes")"
      let isThere = (try? FileSystem.createDirectory(memory)) != nil
      defer { try? FileSystem.removeTree(memory) }
      let result = try MPILauncher.run(
        ranks: 3, Binaries.rankCases, ["faultyWrites"],
        environment: ["APUS_SCRATCH": isThere ? memory : directory.path])
      #expect(result.exitCode == 0, "\(result)")
    }
  }

  /// Ranks that die by SIGKILL under a real `mpirun`, at calls over the whole of a training of two checkpoints.
  @Test(arguments: [(0, 60), (0, 95), (1, 20), (1, 30), (2, 25)]) func killedRank(rank: Int, call: Int) throws {
    try TemporaryDirectory.with { directory in
      let result = try MPILauncher.run(
        ranks: 3, Binaries.rankCases, ["killedWrite"], options: MPILauncher.impatient,
        environment: ["APUS_SCRATCH": directory.path, "APUS_FAULT": "\(rank):\(call)"])
      #expect(result.exitCode == 137, "\(result)")
      let store = CheckpointStore(directory: directory.file("run/checkpoints"), keep: 1)
      for step in try store.steps() { #expect(try CheckpointManifest(verifying: store.path(of: step)).step == step) }
      #expect(try store.newest { _ in } == store.steps().last.map { store.path(of: $0) })
    }
  }
}
