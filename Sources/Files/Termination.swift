import CProcess
import Glibc
import Synchronization

/// The wish of the outside world that the program ends: SIGTERM, SIGINT, SIGUSR1 or SIGUSR2 (what Slurm's `--signal`
/// and mpirun send).
///
/// After `install()` these signals kill no longer but set a flag that the program looks at between two steps. A second
/// SIGINT ends the program at once, as an impatient user expects.
public enum Termination {
  /// 0, or the first signal that came.
  private static let received = Atomic<Int32>(0)
  private static let interrupts = Atomic<Int32>(0)

  private static let signals: [Int32] = [SIGTERM, SIGINT, SIGUSR1, SIGUSR2]

  /// Takes over the signals. System calls they interrupt are restarted: MPI and HDF5 are not all ready for EINTR.
  public static func install() {
    // A handler may only touch what exists already: this initialises both.
    received.store(0, ordering: .relaxed)
    interrupts.store(0, ordering: .relaxed)
    for number in signals {
      setHandler(of: number, handle)
    }
  }

  /// Makes a file beyond the limit of `ulimit -f` an error of the write, with a message, and not a silent death by SIGXFSZ.
  public static func surviveFileLimit() {
    _ = signal(SIGXFSZ, SIG_IGN)
  }

  /// Whether a signal has come.
  public static var isRequested: Bool { received.load(ordering: .relaxed) != 0 }

  /// The name of the first signal that came: "SIGTERM".
  public static var signalName: String? {
    switch received.load(ordering: .relaxed) {
    case SIGTERM: "SIGTERM"
    case SIGINT: "SIGINT"
    case SIGUSR1: "SIGUSR1"
    case SIGUSR2: "SIGUSR2"
    default: nil
    }
  }

  /// Runs inside the signal handler: atomics and async-signal-safe calls only.
  private static let handle: @convention(c) (Int32) -> Void = { number in
    _ = Termination.received.compareExchange(expected: 0, desired: number, ordering: .relaxed)
    guard number == SIGINT, Termination.interrupts.add(1, ordering: .relaxed).oldValue > 0 else { return }
    Termination.setHandler(of: SIGINT, nil)
    _ = raise(SIGINT)
  }

  /// Sets a handler, or the default for nil.
  private static func setHandler(of number: Int32, _ handler: (@convention(c) (Int32) -> Void)?) {
    var action = sigaction()
    unsafe action.__sigaction_handler.sa_handler = handler
    action.sa_flags = SA_RESTART
    unsafe sigemptyset(&action.sa_mask)
    unsafe _ = sigaction(number, &action, nil)
  }
}
