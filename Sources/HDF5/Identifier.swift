import CHDF5

/// The owner of one handle of the library: a file, data set, type, data space or property list.
struct Identifier: ~Copyable, Sendable {
  let handle: hid_t

  /// Takes over a handle that `call` has just returned. `what` completes "cannot ...".
  init(
    _ handle: hid_t, _ call: String, _ what: @autoclosure () -> String, path: String
  ) throws(HDF5Error) {
    if handle.rawValue < 0 { throw failure(call, what(), path: path) }
    self.handle = handle
  }

  deinit {
    Library.locked {
      // Closing a file closes what was opened in it; the library never gives a number out again.
      if H5Iis_valid(handle) > 0 { H5Idec_ref(handle) }
    }
  }

  /// Closes the handle and checks that this worked, which is where a full disk shows.
  consuming func close(_ call: String, _ what: String, path: String) throws(HDF5Error) {
    let handle = handle
    discard self
    try Library.locked { () throws(HDF5Error) in
      try check(H5Idec_ref(handle), call, what, path: path)
    }
  }
}
