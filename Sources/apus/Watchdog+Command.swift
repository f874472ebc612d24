import Failures
import Files
import MPI
import Text
import Watch

extension Watchdog {
  /// Watches this rank and the others, and ends all with 76 where one hangs; nil where there is no limit. Collective.
  static func start(_ deadlines: Deadlines, _ world: borrowing Communicator) throws -> Watchdog? {
    guard !deadlines.isOff else { return nil }
    let members = try world.allGather(Member.own.encoded).map { Member(encoded: $0) }
    return try Watchdog(deadlines: deadlines, rank: world.rank, members: members) { report in
      let code = ExitCode.stalled.rawValue
      Program.endAll(code: code) { StandardStream.error.write("apus: \(report)") }
    }
  }
}

extension CallLimit {
  /// Programs are started on many hosts one after the other, whatever their data may take.
  private static let leastSeconds = 10.0

  /// Ends this rank with 76 where it waits for the others for longer than they may take to begin, before they watch each other or after;
  /// nil where there is no limit.
  static func meeting(_ deadlines: Deadlines) -> CallLimit? {
    guard let seconds = deadlines.startSeconds.map({ max($0, leastSeconds) }) else { return nil }
    return CallLimit(seconds: seconds) { call in
      let own = "rank \(Program.launchedRank ?? 0) (\(Member.own))"
      let what = "\(own) still waits for other ranks in \(call); watchdog.start allows \(duration(seconds))"
      let text = HostRanks(startedBy: Machine.parentProcess).report(what)
      Program.endAll(code: ExitCode.stalled.rawValue) { StandardStream.error.write("apus: \(text)") }
    }
  }
}
