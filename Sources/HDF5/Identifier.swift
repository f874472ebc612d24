import CHDF5

/// The owner of one handle of the library: a group, data set, type, data space or property list.
struct Identifier: ~Copyable, Sendable {
  let handle: hid_t
  /// For what is opened in a file: closing may write, and a failure to write is the file's.
  private let session: FileSession?

  /// Takes over a handle that `call` has just returned. `what` completes "cannot ...".
  init(
    _ handle: hid_t, _ call: String, _ what: @autoclosure () -> String, path: String, in session: FileSession? = nil
  ) throws(HDF5Error) {
    self.handle = handle
    self.session = session
    if handle.rawValue < 0 { throw failure(call, what(), path: path) }
  }

  deinit {
    Library.locked {
      // Closing a file closes what was opened in it; the library never gives a number out again.
      guard handle.rawValue >= 0, session?.isLost != true, H5Iis_valid(handle) > 0 else { return }
      // A data set that fails to close leaves a dead handle in the library's table, and the next one to walk through it
      // crashes. So what may fail is done before.
      if let session, !session.isReadOnly, H5Iget_type(handle) == H5I_DATASET, H5Dflush(handle) < 0 {
        session.lose(failure("H5Dflush", "write all data", path: session.path))
      } else {
        H5Idec_ref(handle)
      }
    }
  }
}
