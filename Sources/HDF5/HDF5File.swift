import CHDF5

/// An HDF5 file: read-only, or being written from the start. Also its root group.
///
/// Objects opened in a file keep it open. `close()` of a file that is written closes them with it.
public struct HDF5File: ~Copyable, Sendable, HDF5Container, HDF5Attributed {
  let session: FileSession

  public var path: String { session.path }

  public var location: HDF5Location {
    HDF5Location(handle: session.handle, session: session, path: "/")
  }

  /// Opens a file for reading, also one that a writer of SWMR (single writer, multiple readers) has open or left open.
  ///
  /// Never locks the file: locks fail on many parallel file systems.
  /// - Parameter trusted: links are followed, and data may lie in other files (external storage, virtual data sets): for files of
  ///   which one knows who made them, since such a file can read whatever the user may.
  /// - Throws: `HDF5Error`, with a kind of its own for a missing file, a directory, a file without permission, one
  ///   that is not HDF5 (with its first bytes), is truncated (with both sizes), or was left open by a dead writer.
  public static func open(_ path: String, trusted: Bool = false) throws(HDF5Error) -> HDF5File {
    try checkName(path)
    let probe = try FileProbe(path)
    try probe.checkLength(path)
    return try Library.locked { () throws(HDF5Error) in
      let access = try fileAccess(path)
      let plain = unsafe H5Fopen(path, chdf5_open_read_only(), access.handle)
      guard plain.rawValue < 0, probe.isMarkedOpen else {
        if plain.rawValue < 0 { throw failure("H5Fopen", "open the file", path: path) }
        return HDF5File(session: FileSession(plain, path: path, isReadOnly: true, isTrusted: trusted))
      }
      let shared = unsafe H5Fopen(path, chdf5_open_single_writer(), access.handle)
      guard shared.rawValue >= 0 else {
        throw HDF5Error(
          .unclosed,
          "'\(path)' was left open by a writer that died, or is being written; if nothing writes it, repair it with: "
            + "h5clear -s '\(path)'",
          path: path, call: "H5Fopen", stack: ErrorStack.capture().lines)
      }
      return HDF5File(
        session: FileSession(shared, path: path, isReadOnly: true, isTrusted: trusted, isShared: true))
    }
  }

  /// Makes a new file, in place of one that is there. Equal contents give equal bytes.
  ///
  /// Nothing is certain on disk before `close()` has returned: on a full disk writing succeeds and closing fails. A file
  /// that could not be written is left empty, and must be removed before one of that name is made again.
  public static func create(_ path: String) throws(HDF5Error) -> HDF5File {
    try checkName(path)
    return try Library.locked { () throws(HDF5Error) in
      let access = try fileAccess(path)
      try check(chdf5_set_format(access.handle), "H5Pset_libver_bounds", "create the file", path: path)
      // Closing the file closes what is still open in it, so that success means that all is written.
      try check(
        H5Pset_fclose_degree(access.handle, H5F_CLOSE_STRONG), "H5Pset_fclose_degree", "create the file", path: path)
      let creation = try Identifier(
        H5Pcreate(chdf5_file_create_class()), "H5Pcreate", "create the file", path: path)
      try check(
        H5Pset_obj_track_times(creation.handle, false), "H5Pset_obj_track_times", "create the file", path: path)
      let handle = unsafe H5Fcreate(path, chdf5_create_truncate(), creation.handle, access.handle)
      if handle.rawValue < 0 { throw failure("H5Fcreate", "create the file", path: path) }
      return HDF5File(session: FileSession(handle, path: path, isReadOnly: false))
    }
  }

  /// Hands everything written so far to the operating system.
  public func flush() throws(HDF5Error) {
    try Library.locked { () throws(HDF5Error) in try session.flush() }
  }

  /// Writes what is left, closes the file and checks that both worked, and that all did that was written before.
  public consuming func close() throws(HDF5Error) {
    try Library.locked { () throws(HDF5Error) in try session.close() }
  }

  private static func checkName(_ path: String) throws(HDF5Error) {
    guard !path.isEmpty, !path.utf8.contains(0) else {
      throw HDF5Error(.missing, "'\(path)' cannot be the name of a file", path: path)
    }
  }

  private static func fileAccess(_ path: String) throws(HDF5Error) -> Identifier {
    let access = try Identifier(H5Pcreate(chdf5_file_access_class()), "H5Pcreate", "open the file", path: path)
    try check(chdf5_disable_file_locking(access.handle), "H5Pset_file_locking", "open the file", path: path)
    return access
  }
}
