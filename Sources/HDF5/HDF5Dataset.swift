import CHDF5

/// An array of any rank in a file. Its first dimension counts rows.
///
/// A handle, like a file descriptor: reading and writing do not change this value.
public struct HDF5Dataset: ~Copyable, Sendable, HDF5Attributed {
  let identifier: Identifier
  let session: FileSession
  /// From the root, `/train/features`.
  public let path: String
  /// What may change while the data set is open.
  let state: DatasetState

  public let elementType: ElementType
  /// The bytes of one element in the file.
  public let elementBytes: Int
  /// The shape of a chunk; nil if the data are contiguous.
  public let chunk: [Int]?
  public let filters: Filters
  /// Whether `write(_:rows:)` may add rows.
  public let isExtendable: Bool

  /// Row count first; empty for a single value.
  public var shape: [Int] { Library.locked { state.shape } }

  /// The bytes that the data take in the file, after compression.
  public var storedBytes: Int {
    let handle = identifier.handle
    return Library.locked { Int(clamping: H5Dget_storage_size(handle)) }
  }

  public var location: HDF5Location {
    HDF5Location(handle: identifier.handle, session: session, path: path)
  }

  var file: String { session.path }

  /// Takes over an open data set.
  init(_ identifier: consuming Identifier, _ layout: DatasetLayout, at place: HDF5Location) {
    self.identifier = identifier
    session = place.session
    path = place.path
    elementType = layout.elementType
    elementBytes = layout.elementBytes
    chunk = layout.chunk
    filters = layout.filters
    isExtendable = layout.isExtendable
    state = DatasetState(
      shape: layout.shape, chunks: ChunkReader(layout, isReadOnly: place.isReadOnly),
      places: RowPlaces(layout, in: place.session))
  }
}

/// What changes while a data set is open. The shape is touched only under the library's lock, which makes it safe to share.
final class DatasetState: @unchecked Sendable {
  var shape: [Int]
  let chunks: ChunkReader?
  let places: RowPlaces?

  init(shape: [Int], chunks: ChunkReader?, places: RowPlaces?) {
    self.shape = shape
    self.chunks = chunks
    self.places = places
  }
}

extension HDF5Container where Self: ~Copyable {
  /// Opens the data set `name`.
  ///
  /// - Throws: `HDF5Error`: `.missing` with the names that are there, `.typeMismatch` if it is a group, `.forbidden` for
  ///   links, external storage and virtual data sets unless the file is trusted, and for sizes over 1,000 times the stored ones,
  ///   `.filter` for filters other than deflate, shuffle and Fletcher32.
  public func dataset(named name: String) throws(HDF5Error) -> HDF5Dataset {
    let location = location
    return try Library.locked { () throws(HDF5Error) in try location.openDataset(name) }
  }
}

extension HDF5Location {
  fileprivate func openDataset(_ name: String) throws(HDF5Error) -> HDF5Dataset {
    let full = try resolve(name)
    let place = HDF5Location(handle: handle, session: session, path: full)
    let layout = try layout(at: place)
    let access = try datasetAccess(
      cacheBytes: layout.cacheBytes, chunk: layout.chunk, elementBytes: layout.elementBytes)
    let dataset = try Identifier(
      unsafe H5Dopen2(handle, full, access.handle), "H5Dopen2", "open '\(full)'", path: file, in: session)
    return HDF5Dataset(dataset, layout, at: place)
  }

  /// Reads and judges the header of a data set, and closes it: the size of the cache is fixed when a data set is first
  /// opened, and what it should be is known only then.
  private func layout(at place: HDF5Location) throws(HDF5Error) -> DatasetLayout {
    let what = "open '\(place.path)'"
    let object = try Identifier(
      unsafe H5Oopen(handle, place.path, chdf5_default()), "H5Oopen", what, path: file, in: session)
    guard H5Iget_type(object.handle) == H5I_DATASET else {
      throw HDF5Error(.typeMismatch, "'\(place.path)' in '\(file)' is not a data set", path: file)
    }
    let layout = try DatasetLayout(of: object.handle, at: place)
    if isReadOnly {
      var bytes: hsize_t = 0
      try check(unsafe H5Fget_filesize(session.handle, &bytes), "H5Fget_filesize", what, path: file)
      // A trusted link may lead to a larger file.
      if !layout.isElsewhere {
        try layout.checkSizes(fileBytes: session.isTrusted ? .max : Int(clamping: bytes), at: place)
      }
    }
    return layout
  }

  /// How to open or make a data set so that its cache holds `cacheBytes` of chunks.
  func datasetAccess(cacheBytes: Int, chunk: [Int]?, elementBytes: Int) throws(HDF5Error) -> Identifier {
    let access = try Identifier(
      H5Pcreate(chdf5_dataset_access_class()), "H5Pcreate", "open a data set", path: file)
    guard let chunk else { return access }
    let bytes = max(cacheBytes, 1 << 20)
    let chunkBytes = max(1, DatasetLayout.product(chunk, elementBytes) ?? bytes)
    // Two chunks that fall into one slot drive each other out: many more slots than chunks, an odd number.
    let slots = min(max(521, 20 * (bytes / chunkBytes) + 1), 1_000_003)
    // 1: chunks that were read to their end go first.
    try check(H5Pset_chunk_cache(access.handle, slots, bytes, 1), "H5Pset_chunk_cache", "open a data set", path: file)
    return access
  }
}
