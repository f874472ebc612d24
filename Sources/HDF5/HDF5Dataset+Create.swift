import CHDF5

/// How many rows a data set may come to have.
public enum MaximumRows: Equatable, Sendable {
  /// As many as it is made with.
  case fixed
  case unlimited
}

extension HDF5Container where Self: ~Copyable {
  /// Makes the data set `name`; the groups on the way must exist.
  ///
  /// - Parameters:
  ///   - type: a number. Text is written by `createDataset(named:strings:)`.
  ///   - shape: row count first; empty for a single value.
  ///   - chunk: the shape of a chunk, as many dimensions as `shape`; nil for contiguous data. Where filters or growth
  ///     need chunks and none are given, whole rows of about 1 MiB. Chunks larger than the data are cut to them.
  public func createDataset(
    named name: String, type: ElementType, shape: [Int], chunk: [Int]? = nil, filters: Filters = .none,
    maximumRows: MaximumRows = .fixed
  ) throws(HDF5Error) -> HDF5Dataset {
    guard let native = type.native else {
      preconditionFailure("a data set of the type \(type) cannot be made; it must be a number")
    }
    let location = location
    return try Library.locked { () throws(HDF5Error) in
      try location.create(
        name, type: native, elementBytes: H5Tget_size(native), shape: shape, chunk: chunk, filters: filters,
        maximumRows: maximumRows)
    }
  }
}

extension HDF5Dataset {
  /// The bytes of a chunk unless the caller says otherwise: large enough for the disk, small enough for the cache.
  public static let defaultChunkBytes = 1 << 20

  /// A chunk of whole rows of data of `shape`, of about `bytes`.
  public static func chunkOfRows(
    shape: [Int], elementBytes: Int, bytes: Int = HDF5Dataset.defaultChunkBytes
  ) -> [Int] {
    precondition(!shape.isEmpty, "a single value has no rows")
    let rowBytes = shape.dropFirst().reduce(elementBytes) { $0 * max(1, $1) }
    return [max(1, bytes / rowBytes)] + shape.dropFirst().map { max(1, $0) }
  }
}

extension HDF5Location {
  func create(
    _ name: String, type: hid_t, elementBytes: Int, shape: [Int], chunk: [Int]?, filters: Filters,
    maximumRows: MaximumRows
  ) throws(HDF5Error) -> HDF5Dataset {
    precondition(!isReadOnly, "'\(file)' is open for reading")
    precondition(shape.allSatisfy { $0 >= 0 }, "negative size in shape \(shape)")
    precondition(maximumRows == .fixed || !shape.isEmpty, "a single value has no rows to add")
    let full = try pathOfNew(name)
    let what = "create '\(full)'"
    let creation = try Identifier(H5Pcreate(chdf5_dataset_create_class()), "H5Pcreate", what, path: file)
    try check(H5Pset_obj_track_times(creation.handle, false), "H5Pset_obj_track_times", what, path: file)
    let chunk = chunkToWrite(chunk, shape, elementBytes, filters, maximumRows)
    if let chunk {
      let sizes = chunk.map { hsize_t($0) }
      try check(unsafe H5Pset_chunk(creation.handle, Int32(sizes.count), sizes), "H5Pset_chunk", what, path: file)
    }
    try set(filters, on: creation.handle, what)

    let space = try dataSpace(shape, maximumRows, what)
    let access = try datasetAccess(
      cacheBytes: chunk.flatMap { DatasetLayout.product($0, elementBytes) } ?? 0, chunk: chunk,
      elementBytes: elementBytes)
    let dataset = try Identifier(
      unsafe H5Dcreate2(handle, full, type, space.handle, chdf5_default(), creation.handle, access.handle),
      "H5Dcreate2", what, path: file, in: session)
    let place = HDF5Location(handle: handle, session: session, path: full)
    let layout = try DatasetLayout(of: dataset.handle, at: place)
    return HDF5Dataset(dataset, layout, at: place)
  }

  private func chunkToWrite(
    _ chunk: [Int]?, _ shape: [Int], _ elementBytes: Int, _ filters: Filters, _ maximumRows: MaximumRows
  ) -> [Int]? {
    guard !shape.isEmpty else { return nil }
    if chunk == nil, filters == .none, maximumRows == .fixed { return nil }
    let wanted = chunk ?? HDF5Dataset.chunkOfRows(shape: shape, elementBytes: elementBytes)
    precondition(wanted.count == shape.count, "a chunk of rank \(wanted.count) for data of rank \(shape.count)")
    precondition(wanted.allSatisfy { $0 > 0 }, "chunk \(wanted) is empty")
    return wanted.indices.map { index in
      index == 0 && maximumRows == .unlimited ? wanted[0] : max(1, min(wanted[index], shape[index]))
    }
  }

  /// In this order: bytes sorted, compressed, and the checksum over what the disk holds.
  private func set(_ filters: Filters, on creation: hid_t, _ what: String) throws(HDF5Error) {
    if filters.shuffle { try check(H5Pset_shuffle(creation), "H5Pset_shuffle", what, path: file) }
    if let level = filters.deflate {
      precondition(0...9 ~= level, "the level of compression is 0 to 9, not \(level)")
      try check(H5Pset_deflate(creation, UInt32(level)), "H5Pset_deflate", what, path: file)
    }
    if filters.fletcher32 { try check(H5Pset_fletcher32(creation), "H5Pset_fletcher32", what, path: file) }
  }

  func dataSpace(
    _ shape: [Int], _ maximumRows: MaximumRows, _ what: String
  ) throws(HDF5Error) -> Identifier {
    if shape.isEmpty { return try Identifier(H5Screate(H5S_SCALAR), "H5Screate", what, path: file) }
    let sizes = shape.map { hsize_t($0) }
    var limits = sizes
    if maximumRows == .unlimited { limits[0] = chdf5_unlimited() }
    return try Identifier(
      unsafe H5Screate_simple(Int32(sizes.count), sizes, limits), "H5Screate_simple", what, path: file)
  }
}
