import Files

/// Tells a launcher that does not end though all that it has started has.
///
/// Open MPI 4.1's `mpirun` can wait for a lock of its own for ever when a rank was killed (in `PMIx_server_finalize`): nobody would start
/// the ranks again.
struct LonelyLauncher {
  private let patience: Duration
  private var hasStarted = false
  private var aloneSince: ContinuousClock.Instant?
  private var looked = ContinuousClock.now

  init(patience: Duration) { self.patience = patience }

  /// How often to look.
  var interval: Duration { patience / 4 }

  /// Somebody has written something: what was started may have ended before anybody looked.
  mutating func noteOutput() { hasStarted = true }

  /// Whether the launcher has been without anything that runs for longer than `patience`. One that has not started anything yet may
  /// take its time.
  mutating func isOver(_ launcher: ChildProcess) -> Bool {
    let now = ContinuousClock.now
    guard now - looked >= interval else { return false }
    looked = now
    guard !launcher.hasRunningChild else {
      (hasStarted, aloneSince) = (true, nil)
      return false
    }
    guard hasStarted else { return false }
    aloneSince = aloneSince ?? now
    return aloneSince.map { now - $0 >= patience } ?? false
  }
}
