import Foundation
import MPI
import Testing

/// What ranks do together, run with `mpirun` on RankCases.
@Suite(.serialized)
struct RankTests {
  static let checks = [
    "world", "barrier", "broadcast", "allReduce", "reduce", "reduceScatter", "allGather", "gather", "scatter",
    "allToAll",
    "exchange", "sendAndReceive", "waitingMessage", "operationWithoutMeaning", "startBarrier", "startBroadcast",
    "startAllReduce", "startReduceScatter", "startAllGather", "startAllToAll", "startSendAndReceive",
    "pendingNoncopyable", "duplicate", "split", "splitByNode", "sharedWindow",
  ]

  @Test(arguments: [1, 2, 3, 4])
  func everyOperation(ranks: Int) throws {
    let outcome = try RankLauncher.run(Self.checks, ranks: ranks)
    #expect(outcome.exitCode == 0, "\(outcome)")
    let lines = outcome.output.split(separator: "\n").sorted()
    #expect(lines == (0..<ranks).map { "rank \($0) of \(ranks)" })
  }

  /// Every transfer is longer than MPI is allowed to count.
  @Test(arguments: [1, 2, 3, 4], [1, 3])
  func everyOperationInPieces(ranks: Int, limit: Int) throws {
    let outcome = try RankLauncher.run(["limit=\(limit)"] + Self.checks, ranks: ranks)
    #expect(outcome.exitCode == 0, "\(outcome)")
  }

  @Test func everyOperationWithoutLauncher() throws {
    let outcome = try RankLauncher.run(Self.checks, ranks: nil)
    #expect(outcome.exitCode == 0, "\(outcome)")
    #expect(outcome.output == "rank 0 of 1\n")
    #expect(outcome.errors == "")
  }

  @Test(arguments: ["truncated", "truncatedPending", "shortPending"])
  func messagesOfAnotherLength(name: String) throws {
    for limit in ["limit=1000", "limit=2", "limit=3"] {
      let outcome = try RankLauncher.run([limit, name], ranks: 2)
      #expect(outcome.exitCode == 0, "\(limit): \(outcome)")
    }
  }
}
