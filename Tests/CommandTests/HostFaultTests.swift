import Foundation
import Glibc
import TestSupport
import Testing

/// Trainings on several hosts of one machine, with links that can be slowed and cut.
@Suite(.serialized, .enabled(if: LocalHosts.obstacle.isEmpty, "\(LocalHosts.obstacle)"))
struct HostFaultTests {
  private let hosts: LocalHosts
  private let digits: DigitsTraining
  private let job: String

  init() throws {
    hosts = try LocalHosts(count: 3)
    digits = try DigitsTraining()
    job = try digits.job(
      "hosts", optimizer: "kind: \"adam\"", train: "steps: 60, batch_size: 48",
      more: "parallel: { virtual_ranks: 12 }, checkpoint: { every_steps: 20, every_seconds: 0 },", hidden: [200])
  }

  /// - Parameter bucketBytes: see `parallel.bucket_bytes`.
  private func train(
    _ places: String, ranks: Int, output: String, bucketBytes: Int = 57_344
  ) throws -> (run: DigitsRun, seconds: Double) {
    let run = DigitsRun(digits.directory.file(output))
    let options = ["--set", "parallel.bucket_bytes=\(bucketBytes)"]
    let result = try hosts.run(places, ranks: ranks, Binaries.apus, digits.arguments(job, run, options))
    try #require(result.exitCode == 0, "\(result)")
    return (run, result.seconds)
  }

  /// Ranks in shared memory, over links, and both: the same bits. A slow link slows, and does nothing else.
  @Test func trainingDoesNotDependOnHosts() throws {
    let alone = try digits.train(job, ranks: 3, output: "alone")
    let three = try train("host1:1,host2:1,host3:1", ranks: 3, output: "three")
    let mixed = try train("host1:2,host2:1", ranks: 3, output: "mixed")
    let manyBuckets = try train("host1:1,host2:1,host3:1", ranks: 3, output: "many", bucketBytes: 1_000)
    let afterwards = try train("host1:1,host2:1,host3:1", ranks: 3, output: "afterwards", bucketBytes: 0)
    try hosts.slow("10mbit", "host3")
    let slowed = try train("host1:1,host2:1,host3:1", ranks: 3, output: "slowed")
    for run in [three.run, mixed.run, manyBuckets.run, afterwards.run, slowed.run] {
      #expect(try run.tensors == alone.tensors)
      #expect(try run.checkpointFiles.map(\.name).sorted() == alone.checkpointFiles.map(\.name).sorted())
    }
    // 60 kB of gradient a step: two thirds of it go out, two thirds of the sum come back, and as much goes the other way.
    // The least of several, since a busy machine slows as well.
    let fastest = min(three.seconds, manyBuckets.seconds, afterwards.seconds)
    #expect(slowed.seconds > fastest + 2, "\(slowed.seconds) s, and \(fastest) s without a limit")
  }

  enum Loss: String, CaseIterable {
    /// The host is without power: nobody says goodbye.
    case power
    /// The link is cut: both sides live, and hear nothing.
    case link
  }

  /// A host that is gone in the middle of a training ends the ranks within seconds; `apus launch` goes on with those that are left.
  @Test(arguments: Loss.allCases) func lostHost(_ loss: Loss) throws {
    let whole = try digits.train(job, ranks: 2, output: "whole", options: ["--set", "train.steps=900"])
    let run = DigitsRun(digits.directory.file("run"))
    let report = digits.directory.file("report")
    let flags = MPILauncher.flags(ranks: 1).dropFirst(2) + CommandLineRun.impatient
    let options = [
      "--ranks", "3", "--hosts", "host1:1,host2:1,host3:1", "--pause", "0.05", "--report", report, "--mpirun-option",
      flags.joined(separator: " "),
    ]
    let running = try hosts.start(
      on: "host1", Binaries.apus,
      ["launch"] + options + ["--"] + digits.arguments(job, run, ["--set", "train.steps=900"]))
    #expect(
      running.wait {
        run.checkpoints.contains { $0.hasPrefix("step-") && $0 > "step-000000100" }
      })
    switch loss {
    case .power: try hosts.remove("host3")
    case .link: try hosts.cut("host3")
    }
    let lost = ContinuousClock.now
    let ended = running.wait {
      running.errorSoFar.contains("apus: launch: the ranks ended with")
    }
    let seconds = (ContinuousClock.now - lost).inSeconds
    #expect(ended && seconds < Patience.seconds.inSeconds, "\(seconds) s\n\(running.errorSoFar)")
    let result = running.wait()
    #expect(result.exitCode == 0, "\(result)")
    #expect(result.standardError.contains("cannot reach host3; going on with host1:1,host2:1"), "\(result)")
    #expect(try run.model == whole.model)
    let json = try JSONSerialization.jsonObject(with: Data(contentsOf: URL(fileURLWithPath: report)))
    let attempts = try #require((json as? [String: Any])?["attempts"] as? [[String: Any]])
    #expect(attempts.map { $0["hosts"] as? String } == ["host1:1,host2:1,host3:1", "host1:1,host2:1"])
    // Behind a cut link nobody could be told; the daemon there gave up by itself.
    let deadline = ContinuousClock.now + Patience.seconds
    var status = try hosts.status
    while !status.contains("host3: link cut, processes: \n"), ContinuousClock.now < deadline {
      usleep(100_000)
      status = try hosts.status
    }
    #expect(status.contains("host3: link cut, processes: \n"), "\(status)")
  }
}
