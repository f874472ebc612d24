import Failures
import MPI

/// A command that one process does alone. Where no launcher started it, it runs without MPI, whose start takes longer than the
/// work.
protocol LocalCommand: Command {
  /// Does the work; returns the exit code.
  func run() throws -> Int32
}

extension LocalCommand {
  /// Rank 0 does the work, and every rank ends with its code.
  func run(_ world: borrowing Communicator) throws -> Int32 {
    let code = try Agreement.fromRoot(world) { [UInt8(truncatingIfNeeded: try run())] }
    return Int32(code[0])
  }
}
