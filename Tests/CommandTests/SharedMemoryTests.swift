import TestSupport
import Testing

/// Machines on which ranks cannot share what they would.
@Suite struct SharedMemoryTests {
  /// Whether this machine lets a test have a `/dev/shm` of its own.
  private static let canMount =
    (try? Run.program("unshare", ["-m", "bash", "-c", "mount -t tmpfs tmpfs /dev/shm"]))?.exitCode == 0

  /// Where there is too little room, as in many containers, each rank keeps a copy: one warning, and the same model.
  @Test(.enabled(if: canMount, "needs the right to mount")) func tooLittleRoomIsNoError() throws {
    let digits = try DigitsTraining()
    let job = try digits.job("job", optimizer: #"kind: "adam""#, train: "steps: 5, batch_size: 50")
    let shared = try digits.train(job, ranks: 2, output: "shared")
    let run = DigitsRun(digits.directory.file("plain"))
    let small = #"mount -t tmpfs -o size=16k tmpfs /dev/shm && exec "$@""#
    let result = try MPILauncher.run(
      ranks: 2, "unshare", ["-m", "bash", "-c", small, "bash", Binaries.apus] + digits.arguments(job, run, []),
      // The library's own messages through shared memory have no room either.
      options: ["--mca", "btl", "tcp,self"])
    #expect(result.exitCode == 0, "\(result)")
    let warnings = result.errorLines.filter { $0.contains("warning") }
    #expect(
      warnings.count == 1 && warnings.allSatisfy { $0.contains("(/dev/shm, ulimit -f) is too small by ") }, "\(result)")
    #expect(try run.model == shared.model)
  }
}
