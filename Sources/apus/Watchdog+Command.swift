import Failures
import Files
import MPI
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
