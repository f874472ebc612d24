import CHDF5
import Glibc

/// The one door to the library: every call of HDF5 happens inside `Library.locked`.
///
/// A thread-safe HDF5 has a lock of its own, others have none, and what several calls do together (a call and the
/// reading of its error stack) needs one in either case. The lock is recursive because an `Identifier` that goes out
/// of scope inside a locked region closes itself.
enum Library {
  static func locked<Result: ~Copyable, Failure: Error>(
    _ body: () throws(Failure) -> Result
  ) throws(Failure) -> Result {
    lock.acquire()
    defer { lock.release() }
    // The error stack, and with it the switch for printing, belongs to the thread in a thread-safe library.
    H5Eset_auto2(defaultStack, nil, nil)
    return try body()
  }

  static let defaultStack = hid_t(rawValue: 0)

  /// How numbers are read: those that are converted go through 64 KiB. By default the library takes 1 MiB for it, which each call sets to
  /// zeros, however little it reads. The caller holds the lock.
  static let numberTransfer: hid_t = {
    let list = H5Pcreate(chdf5_dataset_transfer_class())
    guard list.rawValue >= 0, H5Pset_buffer(list, 64 << 10, nil, nil) >= 0 else { return chdf5_default() }
    return list
  }()

  private static let lock: RecursiveLock = {
    // Before the first call: on a full disk the library's own exit handler crashes.
    H5dont_atexit()
    H5open()
    // No plug-ins: a file must not choose code for us to load.
    H5PLset_loading_state(0)
    return RecursiveLock()
  }()
}

/// A lock that its holder may take again.
@safe private final class RecursiveLock: @unchecked Sendable {
  // The address of a mutex must not change, so it lives on the heap, as long as the process.
  private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)

  init() {
    var attributes = pthread_mutexattr_t()
    unsafe pthread_mutexattr_init(&attributes)
    unsafe pthread_mutexattr_settype(&attributes, Int32(PTHREAD_MUTEX_RECURSIVE))
    unsafe pthread_mutex_init(mutex, &attributes)
    unsafe pthread_mutexattr_destroy(&attributes)
  }

  func acquire() {
    let code = unsafe pthread_mutex_lock(mutex)
    precondition(code == 0, "pthread_mutex_lock failed with \(code)")
  }

  func release() {
    let code = unsafe pthread_mutex_unlock(mutex)
    precondition(code == 0, "pthread_mutex_unlock failed with \(code)")
  }
}
