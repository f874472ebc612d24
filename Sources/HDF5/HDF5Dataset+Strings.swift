import CHDF5

extension HDF5Dataset {
  /// All texts of a data set of text, row-major, whether of a fixed size or of any length.
  public func strings() throws(HDF5Error) -> [String] {
    guard elementType == .string else {
      throw HDF5Error(.typeMismatch, "'\(path)' in '\(file)' holds \(elementType), not text", path: file)
    }
    return try Library.locked { () throws(HDF5Error) in
      let what = "read '\(path)'"
      guard let count = DatasetLayout.product(state.shape, 1) else {
        throw location.forbidden("has too many elements")
      }
      let type = try Identifier(H5Dget_type(identifier.handle), "H5Dget_type", what, path: file)
      let space = try Identifier(H5Dget_space(identifier.handle), "H5Dget_space", what, path: file)
      return try unsafe Text.read(count, stored: type.handle, space: space.handle, what: what, at: location) {
        unsafe H5Dread(identifier.handle, $0, chdf5_whole_space(), chdf5_whole_space(), chdf5_default(), $1)
      }
    }
  }
}

extension HDF5Container where Self: ~Copyable {
  /// Makes the data set `name` of one dimension with these texts, in UTF-8, each of the size of the longest; or with
  /// `variableLength` each of its own.
  public func createDataset(
    named name: String, strings: [String], variableLength: Bool = false
  ) throws(HDF5Error) {
    let location = location
    let size = strings.map(\.utf8.count).max() ?? 0
    try Library.locked { () throws(HDF5Error) in
      let what = "write '\(name)'"
      let type = try Text.type(bytes: variableLength ? nil : size, what, at: location)
      let dataset = try location.create(
        name, type: type.handle, elementBytes: H5Tget_size(type.handle), shape: [strings.count], chunk: nil,
        filters: .none, maximumRows: .fixed)
      guard !strings.isEmpty else { return }
      let handle = dataset.identifier.handle
      func write(_ pointer: UnsafeRawPointer) throws(HDF5Error) {
        try location.session.write { () throws(HDF5Error) in
          try check(
            unsafe H5Dwrite(
              handle, type.handle, chdf5_whole_space(), chdf5_whole_space(), chdf5_default(), pointer), "H5Dwrite",
            what, path: location.file)
        }
      }
      if variableLength {
        try unsafe Text.withPointers(to: strings, write)
      } else {
        try unsafe write(Text.padded(strings, size: max(1, size)))
      }
    }
  }
}
