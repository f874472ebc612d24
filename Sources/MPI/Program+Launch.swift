import Glibc

extension Program {
  /// The number of this process among those that a launcher started, as the environment tells it; nil without a launcher.
  /// Needs no MPI.
  public static var launchedRank: Int? { Launch.current.rank }

  /// Ends the process with `code` before `run` was called, so that MPI never starts. All ranks call it; rank 0 speaks before.
  public static func leave(code: Int32) -> Never {
    fflush(nil)
    // A launcher ends all ranks as soon as one fails: that must not be before rank 0 has spoken.
    if code != 0, launchedRank ?? 0 != 0 { sleep(1) }
    exit(code)
  }
}
