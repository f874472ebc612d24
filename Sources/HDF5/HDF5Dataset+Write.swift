import CHDF5

extension HDF5Dataset {
  /// Writes whole rows; `Element` must be the stored type. Rows beyond the last are added if the data set is
  /// extendable.
  ///
  /// Shapes: `values` holds `rows.count` times the product of the other dimensions. Pieces of whole chunks are fast.
  public func write<Element: HDF5Element>(_ values: Span<Element>, rows: Range<Int>) throws(HDF5Error) {
    let shape = shape
    precondition(!session.isReadOnly, "'\(file)' is open for reading")
    precondition(
      Element.elementType == elementType, "'\(path)' holds \(elementType), \(Element.elementType) is written")
    precondition(!shape.isEmpty, "'\(path)' is a single value and has no rows")
    let count = [rows.count] + shape.dropFirst()
    precondition(
      values.count == DatasetLayout.product(count, 1), "\(values.count) elements for rows of \(count) elements")
    if isExtendable, rows.upperBound > shape[0] { try extend(toRows: rows.upperBound) }
    try checkRows(rows, of: max(shape[0], isExtendable ? rows.upperBound : 0))
    try unsafe values.withUnsafeBytes { bytes throws(HDF5Error) in
      guard let base = bytes.baseAddress, unsafe !bytes.isEmpty else { return }
      try Library.locked { () throws(HDF5Error) in
        let start = [rows.lowerBound] + shape.dropFirst().map { _ in 0 }
        let what = "write \(Self.blockName(start, count)) of '\(path)'"
        let spaces = try selection(start: start, count: count, what)
        try session.write { () throws(HDF5Error) in
          try check(
            unsafe H5Dwrite(
              identifier.handle, Element.native, spaces.memory.handle, spaces.file.handle, chdf5_default(), base),
            "H5Dwrite", what, path: file)
        }
      }
    }
  }

  /// Writes all elements, row-major.
  public func write<Element: HDF5Element>(_ values: [Element]) throws(HDF5Error) {
    let shape = shape
    if shape.isEmpty {
      try writeValue(values)
    } else {
      try write(values.span, rows: 0..<shape[0])
    }
  }

  private func writeValue<Element: HDF5Element>(_ values: [Element]) throws(HDF5Error) {
    precondition(values.count == 1, "\(values.count) elements for a single value")
    precondition(
      Element.elementType == elementType, "'\(path)' holds \(elementType), \(Element.elementType) is written")
    try Library.locked { () throws(HDF5Error) in
      try session.write { () throws(HDF5Error) in
        try check(
          unsafe H5Dwrite(
            identifier.handle, Element.native, chdf5_whole_space(), chdf5_whole_space(), chdf5_default(), values),
          "H5Dwrite", "write '\(path)'", path: file)
      }
    }
  }

  private func extend(toRows rows: Int) throws(HDF5Error) {
    try Library.locked { () throws(HDF5Error) in
      var shape = state.shape
      shape[0] = rows
      let sizes = shape.map { hsize_t($0) }
      try session.write { () throws(HDF5Error) in
        try check(
          unsafe H5Dset_extent(identifier.handle, sizes), "H5Dset_extent", "add rows to '\(path)'", path: file)
      }
      state.shape = shape
    }
  }
}
