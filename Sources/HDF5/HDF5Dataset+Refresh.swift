import CHDF5

extension HDF5Dataset {
  /// Looks again how many rows there are in a file to which a writer of SWMR (single writer, multiple readers) adds; returns their number.
  ///
  /// Corresponds to `H5Drefresh`.
  /// - Throws: `HDF5Error`, also where the other dimensions have changed.
  public func refresh() throws(HDF5Error) -> Int {
    try Library.locked { () throws(HDF5Error) in
      let what = "look again at '\(path)'"
      try check(H5Drefresh(identifier.handle), "H5Drefresh", what, path: file)
      let space = try Identifier(H5Dget_space(identifier.handle), "H5Dget_space", what, path: file, in: session)
      var sizes = [hsize_t](repeating: 0, count: state.shape.count)
      let rank = Int(H5Sget_simple_extent_ndims(space.handle))
      guard rank == sizes.count, rank > 0,
        unsafe H5Sget_simple_extent_dims(space.handle, &sizes, nil) >= 0,
        sizes.dropFirst().map({ Int(clamping: $0) }) == Array(state.shape.dropFirst())
      else {
        throw HDF5Error(.other, "'\(path)' in '\(file)' has changed its shape while it was read", path: file)
      }
      let rows = Int(clamping: sizes[0])
      if rows != state.shape[0] {
        state.shape[0] = rows
        state.chunks?.forget()
      }
      return rows
    }
  }
}

extension HDF5File {
  /// Whether the file is read while a writer of SWMR may add to it.
  public var isShared: Bool { session.isShared }
}
