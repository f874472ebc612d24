import Foundation
import Glibc
import MPI
import Testing

/// What must end the program on all ranks, with one exit code, within seconds.
@Suite(.serialized)
struct FaultTests {
  @Test(arguments: [
    "throwBeforeCollective", "throwBeforeMessage", "throwWithPending", "throwWithCommunicator",
    "throwWhileOthersCompute",
  ])
  func oneRankThrows(name: String) throws {
    for ranks in [2, 4] {
      let outcome = try RankLauncher.run([name], ranks: ranks, timeout: 20)
      #expect(outcome.exitCode == 65, "\(outcome)")
      #expect(outcome.seconds < 5)
      #expect(outcome.output == "rank \(ranks - 1): \(name): this rank cannot go on\n")
    }
  }

  @Test(arguments: ["throwBeforeMessage", "throwWithPending", "throwWithCommunicator"])
  func theOnlyRankThrows(name: String) throws {
    let outcome = try RankLauncher.run([name], ranks: nil, timeout: 20)
    #expect(outcome.exitCode == 65)
    #expect(outcome.output == "rank 0: \(name): this rank cannot go on\n")
    #expect(outcome.errors == "", "nothing of MPI's own about a rank that ends alone")
  }

  @Test func aRankAborts() throws {
    let outcome = try RankLauncher.run(["abort"], ranks: 3, timeout: 20)
    #expect(outcome.exitCode == 76, "\(outcome)")
    #expect(outcome.seconds < 5)
    #expect(try RankLauncher.run(["abort"], ranks: nil).exitCode == 76)
  }

  /// A rank that is stopped before it meets the others, or before it parts from them: who waits for it ends all within the limit.
  @Test(arguments: [
    (["meeting=1", "stopped", "exit75"], "MPI_Init"), (["meeting=5", "stop"], "MPI_Finalize"),
  ])
  func ranksThatNeverMeet(_ arguments: [String], _ call: String) throws {
    let outcome = try RankLauncher.run(arguments, ranks: 3, timeout: 60)
    #expect(!outcome.timedOut && outcome.exitCode == 76, "\(outcome)")
    #expect(outcome.output.contains("rank 0 waits in \(call)\n"), "\(outcome)")
    let met = try RankLauncher.run(["meeting=1000", "exit75"], ranks: 3, timeout: 60)
    #expect(met.exitCode == 75 && met.output.isEmpty, "\(met)")
  }

  @Test func exitCodeOfAllRanks() throws {
    #expect(try RankLauncher.run(["exit75"], ranks: 3).exitCode == 75)
    #expect(try RankLauncher.run(["exit75"], ranks: nil).exitCode == 75)
    #expect(try RankLauncher.run(["exitRank"], ranks: 3).exitCode == 12, "the largest code, 10 + rank")
  }

  @Test func anOperationIsForgotten() throws {
    let outcome = try RankLauncher.run(["forgetPending"], ranks: 2, timeout: 20)
    #expect(outcome.exitCode == 70, "\(outcome)")
    #expect(outcome.output.contains("MPI_Finalize: operations that were started and never waited for: 1\n"))
  }

  /// Only debug builds compare the calls.
  #if DEBUG
    @Test(arguments: [
      (
        "mismatchCollective",
        "rank 0 calls allReduce(3 × float, sum), but rank 1 calls barrier()"
      ),
      ("mismatchCount", "rank 0 calls allReduce(5 × float, sum), but rank 1 calls allReduce(4 × float, sum)"),
      ("mismatchOperation", "rank 0 calls allReduce(1 × float, sum), but rank 1 calls allReduce(1 × float, maximum)"),
      ("mismatchType", "rank 0 calls allReduce(1 × double, sum), but rank 1 calls allReduce(1 × int64, sum)"),
      ("mismatchRoot", "rank 0 calls broadcast(1 × float, root 0), but rank 1 calls broadcast(1 × float, root 1)"),
      ("mismatchPartition", "rank 0 calls allGather(7 × float, counts #"),
      ("mismatchAllToAll", "in allToAll, rank 0 sends 2 elements to rank 1, which expects 1"),
      (
        "mismatchPending",
        "rank 0 calls startAllReduce(1 × float, sum), but rank 1 calls allReduce(1 × float, sum)"
      ),
    ])
    func ranksDisagree(name: String, message: String) throws {
      let outcome = try RankLauncher.run([name], ranks: 3, timeout: 20)
      #expect(outcome.exitCode == 70, "\(outcome)")
      #expect(outcome.seconds < 5)
      #expect(outcome.output.contains(message), "\(outcome.output)")
    }
  #endif

  @Test func launcherIsKilled() throws {
    let running = try RankLauncher.start(["computeForEver"], ranks: 3)
    let deadline = Date().addingTimeInterval(20)
    while running.outputSoFar.split(separator: "\n").count < 3, Date() < deadline { usleep(20_000) }
    let ranks = running.descendants(named: "RankCases")
    #expect(ranks.count == 3)
    for launcher in running.descendants(named: "mpirun") { kill(launcher, SIGKILL) }
    let killed = Date()
    while ranks.contains(where: isAlive), Date().timeIntervalSince(killed) < 10 { usleep(20_000) }
    #expect(Date().timeIntervalSince(killed) < 5, "the ranks died with mpirun")
    for rank in ranks { kill(rank, SIGKILL) }
    _ = running.wait(timeout: 5)
  }
}
