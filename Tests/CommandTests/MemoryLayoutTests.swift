import Foundation
import TestSupport
import Testing

/// A model that is four times too large for a rank, and eight ranks that share it.
@Suite(.enabled(if: FaultMachine.availableBytes > 6 << 30, "the model takes 3 GiB of memory"))
struct MemoryLayoutTests {
  /// What `ulimit -v` allows a rank, in KiB; the program alone, its libraries and MPI take nearly half of it.
  private static let limit = 704 << 10
  /// Eight layers of this width have weights, gradients and two moments of four times the limit.
  private static let width = 4_808

  private func train(_ digits: DigitsTraining, _ settings: [String]) throws -> RunResult {
    let hidden = Array(repeating: Self.width, count: 9)
    let job = try digits.job(
      "job", optimizer: #"kind: "adam", learning_rate: 1e-4"#, train: "steps: 1, batch_size: 8",
      more: "parallel: { virtual_ranks: 1 }, checkpoint: { every_seconds: 0 }", hidden: hidden)
    let all = ["data.validation_split=null"] + settings.map { "parallel." + $0 }
    return try MPILauncher.run(
      ranks: 8, "bash",
      ["-c", "ulimit -v \(Self.limit); exec \"$@\"", "bash", Binaries.fastest]
        + digits.arguments(job, DigitsRun(digits.directory.file("run")), all.flatMap { ["--set", $0] }),
      // glibc would reserve 64 MiB of addresses for each thread of MPI.
      options: CommandLineRun.impatient + ["--mca", "btl", "tcp,self", "-x", "MALLOC_ARENA_MAX=1"],
      timeout: .seconds(400))
  }

  /// With every rank alone, or too few of them together, it is refused at once, with the numbers.
  @Test(arguments: [["pipeline=1"], ["pipeline=2"], ["tensor=4"], ["shard_optimizer=true"]])
  func isRefused(_ settings: [String]) throws {
    #expect(4 * 4 * 8 * Self.width * Self.width > 4 * Self.limit * 1_024)
    let result = try train(try DigitsTraining(), settings)
    CommandLineRun.expectFailure(
      result, code: 69,
      says: [
        "not enough memory: a rank takes ", "iB: weights ", ", gradients ", ", moments ",
        "lets a rank map 704 MiB (ulimit -v), of which ", " are left", "hint: share the model among more ranks",
      ])
    #expect(result.duration < Patience.seconds)
  }

  /// From the first initialisation to the model file, no rank holds more than its part.
  @Test(arguments: ["pipeline=8", "tensor=8"]) func trainsInEightParts(_ setting: String) throws {
    let digits = try DigitsTraining()
    let result = try train(digits, [setting])
    #expect(result.exitCode == 0, "\(result)")
    let file = try FileManager.default.attributesOfItem(atPath: digits.directory.file("run/model.safetensors"))
    #expect((file[.size] as? Int ?? 0) > 4 * 8 * Self.width * Self.width)
  }
}
