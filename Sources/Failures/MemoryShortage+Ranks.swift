import Files
public import Kernels
import MPI
import Text

extension MemoryShortage {
  /// From now on a rank that gets no memory says which it is, how much it wanted and how much there is, and ends all ranks with 69.
  public static func endsAllRanks() {
    ends { wanted in
      let rank = Program.launchedRank.map { "rank \($0) on \(Machine.hostName): " } ?? ""
      Program.endAll(code: ExitCode.unavailable.rawValue) {
        StandardStream.error.write("apus: \(rank)not enough memory: \(bytes(wanted)) wanted at once\(left)\n")
      }
    }
  }

  private static var left: String {
    if let space = Machine.addressSpace {
      let rest = bytes(max(0, space.limit - space.used))
      return ", and of the \(bytes(space.limit)) that it may map (ulimit -v) \(rest) are left"
    }
    return Machine.availableMemoryBytes.map { ", and the machine has \(bytes($0)) left" } ?? ""
  }
}
