import CMPI
import Glibc

/// How a rank waits for another that shares its memory: at once for what comes soon, and leaving the processor to others where it does not.
///
/// A rank that waits calls no library, so nothing but a signal ends it: launchers send one to every rank when one ends, and the kernel
/// when the launcher dies (`Program.run`).
struct Patience {
  /// About 20 us: longer than a step of a tiny model, shorter than a change of processes costs a processor that has too many.
  private static let spins = 1000
  /// Offers of the processor, 0.3 us where nobody takes it, before the rank sleeps.
  private static let yields = 4000
  /// Later than this nobody who waited for milliseconds is woken.
  private static let nap = timespec(tv_sec: 0, tv_nsec: 50_000)

  private var waits = 0

  mutating func wait() {
    waits += 1
    if waits <= Self.spins {
      cmpi_pause()
    } else if waits <= Self.spins + Self.yields {
      sched_yield()
    } else {
      var nap = Self.nap
      unsafe nanosleep(&nap, nil)
    }
  }
}
