import Glibc

extension Program {
  /// The number of this process among those that a launcher started, as the environment tells it; nil without a launcher.
  /// Needs no MPI.
  public static var launchedRank: Int? { Launch.current.rank }

  /// Ends the process with `code` before `run` was called, so that MPI never starts.
  public static func leave(code: Int32) -> Never {
    fflush(nil)
    exit(code)
  }
}
