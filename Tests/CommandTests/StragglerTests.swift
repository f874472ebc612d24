import Foundation
import Glibc
import TestSupport
import Testing

/// A rank that is stopped every few milliseconds is slow, and the others wait for it.
@Suite(.serialized)
struct StragglerTests {
  @Test func slowRankIsNamedAndTheRunGoesOn() throws {
    let folder = try TemporaryDirectory("straggler")
    try folder.write(
      text: """
        { data: { path: "\(BadInputFiles.shared.path("good"))" }, model: { kind: "mlp", hidden: [400, 400] },
          train: { epochs: 1000000, batch_size: 160 }, output: "run", watchdog: { stragglers: 1 } }
        """, to: "job.json")
    let running = try MPILauncher.start(
      ranks: 2, Binaries.apus, ["train", "job.json"], options: CommandLineRun.impatient, workingDirectory: folder.path)
    let slow = "\"straggler\":1"
    func log() -> String { (try? folder.readText("run/metrics.jsonl")) ?? "" }
    let hasBegun = running.wait { log().contains("loss") }
    #expect(hasBegun)
    let process = try CommandLineRun.process(ofRank: 1, in: running)
    let isNamed = running.wait {
      kill(process, SIGSTOP)
      usleep(60_000)
      kill(process, SIGCONT)
      usleep(15_000)
      return log().contains(slow)
    }
    #expect(isNamed && running.isRunning, "\(log())")
    kill(running.processIdentifier, SIGUSR1)
    let result = running.wait()
    #expect(result.exitCode == 75, "\(result)")
    // On a busy machine the other one may have been slow for a while, too.
    let warning = result.messages.first { $0.contains("is slow") && $0.contains("rank 1 on ") } ?? ""
    #expect(warning.contains("times as long"), "\(result)")
    let line = log().split(separator: "\n").first { $0.contains(slow) } ?? ""
    let ratio = line.firstMatch(of: /"ratio":([0-9.]+)/).flatMap { Double($0.output.1) } ?? 0
    #expect(ratio > 1.5 && line.contains("\"phase\":\"step\""), "\(line)")
  }
}
