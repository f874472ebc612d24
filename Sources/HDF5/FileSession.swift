import CHDF5
import Glibc

/// An open file, shared by all that was opened in it.
///
/// Once something could not be written, the file is lost, and the library must not touch it again: HDF5 1.10 crashes
/// when it closes a file that it could not flush. So the first failure of a file that is written is kept and thrown
/// again, no handle in the file is closed any more, and what the file takes of the disk is given back.
final class FileSession: @unchecked Sendable {
  let handle: hid_t
  let path: String
  let isReadOnly: Bool
  /// Whether links are followed and data may lie in other files.
  let isTrusted: Bool
  /// Read while a writer may add to it.
  let isShared: Bool
  // Both are touched only under the library's lock.
  private var failure: HDF5Error?
  private var isClosed = false

  /// Takes over a file that the library has just opened.
  init(_ handle: hid_t, path: String, isReadOnly: Bool, isTrusted: Bool = false, isShared: Bool = false) {
    self.handle = handle
    self.path = path
    self.isReadOnly = isReadOnly
    self.isTrusted = isTrusted
    self.isShared = isShared
  }

  deinit {
    Library.locked { _ = try? close() }
  }

  /// Whether the library may not touch the file again. The caller holds the lock.
  var isLost: Bool { failure != nil }

  /// Throws what made the file be lost. The caller holds the lock.
  func checkUsable() throws(HDF5Error) {
    if let failure { throw failure }
  }

  /// Runs `body`, which writes. Its failure is that of the file. The caller holds the lock.
  func write(_ body: () throws(HDF5Error) -> Void) throws(HDF5Error) {
    try checkUsable()
    do throws(HDF5Error) {
      try body()
    } catch {
      lose(error)
      throw error
    }
  }

  /// Keeps the failure of a file that is written. The caller holds the lock.
  func lose(_ error: HDF5Error) {
    guard !isReadOnly, !isClosed, failure == nil else { return }
    failure = error
    // The file stays open, for the library knows it by its number on the disk, which must not pass to another file.
    var descriptor: UnsafeMutableRawPointer?
    guard unsafe H5Fget_vfd_handle(handle, chdf5_default(), &descriptor) >= 0, let descriptor = unsafe descriptor else {
      return
    }
    _ = unsafe ftruncate(descriptor.load(as: Int32.self), 0)
  }

  /// Hands everything written so far to the operating system. The caller holds the lock.
  func flush() throws(HDF5Error) {
    try write { () throws(HDF5Error) in
      try check(H5Fflush(handle, H5F_SCOPE_GLOBAL), "H5Fflush", "write all data", path: path)
    }
  }

  /// Writes what is left and closes the file. The caller holds the lock.
  func close() throws(HDF5Error) {
    if isClosed { return }
    if !isReadOnly { try flush() }
    isClosed = true
    try check(H5Fclose(handle), "H5Fclose", "close the file", path: path)
  }
}
