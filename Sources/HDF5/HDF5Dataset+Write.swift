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

  /// Writes a whole chunk of float32 with its checksum, past the library's cache, which would copy it twice and add it up word by word.
  ///
  /// For a data set whose only filter is the checksum and whose chunks are whole rows.
  /// - Parameters:
  ///   - values: the elements of the chunk, and room for one more, which becomes the checksum.
  ///   - row: the first row of the chunk. Rows beyond the last are added if the data set is extendable.
  public func writeChunk(_ values: inout MutableSpan<Float>, firstRow row: Int) throws(HDF5Error) {
    let shape = shape
    guard let chunk, filters == Filters(fletcher32: true), elementType == .float32,
      chunk.dropFirst() == shape.dropFirst(),
      let bytes = DatasetLayout.product(chunk, elementBytes)
    else { preconditionFailure("'\(path)' has no chunks that can be written as they are") }
    precondition(!session.isReadOnly, "'\(file)' is open for reading")
    precondition(row % chunk[0] == 0, "row \(row) is not the first of a chunk of \(chunk[0])")
    precondition(values.count * elementBytes == bytes + 4, "\(values.count) elements for a chunk of \(chunk)")
    let end = row + chunk[0]
    if isExtendable, end > shape[0] { try extend(toRows: end) }
    try checkRows(row..<end, of: max(shape[0], isExtendable ? end : 0))
    try unsafe values.withUnsafeMutableBytes { stored throws(HDF5Error) in
      let sum = unsafe Fletcher32.checksum(UnsafeRawBufferPointer(rebasing: stored[..<bytes]))
      unsafe stored.storeBytes(of: sum.littleEndian, toByteOffset: bytes, as: UInt32.self)
      guard let base = stored.baseAddress else { return }
      try Library.locked { () throws(HDF5Error) in
        var offset = [hsize_t](repeating: 0, count: chunk.count)
        offset[0] = hsize_t(row)
        try session.write { () throws(HDF5Error) in
          try check(
            unsafe H5Dwrite_chunk(identifier.handle, chdf5_default(), 0, offset, stored.count, base), "H5Dwrite_chunk",
            "write rows \(row)..<\(end) of '\(path)'", path: file)
        }
        chdf5_start_writing(session.handle)
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
