import CHDF5
import Glibc

/// What a data set's header says, read and judged before anything of the data is touched.
struct DatasetLayout {
  let shape: [Int]
  /// Whether the first dimension may grow.
  let isExtendable: Bool
  let elementType: ElementType
  let elementBytes: Int
  /// Whether elements lie in the file as they do in memory, byte for byte.
  let isNative: Bool
  let chunk: [Int]?
  /// Whether chunks at the edge may be stored without their filters.
  let hasChunkOptions: Bool
  let filters: Filters
  /// Whether the filters stand in the order in which everybody writes them: bytes sorted, compressed, checksum.
  let hasUsualFilters: Bool
  let storedBytes: Int
  /// Whether the data lie in other files, as only those of a trusted one may.
  let isElsewhere: Bool

  /// Reads the header of `dataset`; the caller holds the lock.
  ///
  /// Throws if the data lie outside of the file, pass through a foreign filter, or declare sizes that no machine has.
  init(of dataset: hid_t, at place: HDF5Location) throws(HDF5Error) {
    let what = "open '\(place.path)'"
    let creation = try Identifier(H5Dget_create_plist(dataset), "H5Dget_create_plist", what, path: place.file)
    // First of all: the questions that follow make the library look for the sources of a virtual data set.
    let layout = H5Pget_layout(creation.handle)
    let isVirtual = layout == H5D_VIRTUAL
    let isExternal = H5Pget_external_count(creation.handle) > 0
    isElsewhere = isVirtual || isExternal
    if place.session.isTrusted {
      if isVirtual { try place.checkSources(of: creation.handle) }
    } else if isVirtual {
      throw place.forbidden("is a virtual data set, whose data lie in other files")
    } else if isExternal {
      throw place.forbidden("keeps its data in other files (external storage)")
    }
    let pipeline = try Self.filters(creation.handle, place)
    filters = pipeline.filters

    let type = try Identifier(H5Dget_type(dataset), "H5Dget_type", what, path: place.file)
    elementType = ElementType(of: type.handle)
    elementBytes = H5Tget_size(type.handle)
    hasUsualFilters = pipeline.isUsual && (pipeline.shuffledBytes ?? elementBytes) == elementBytes
    isNative = elementType.native.map { H5Tequal(type.handle, $0) > 0 } ?? false

    let space = try Identifier(H5Dget_space(dataset), "H5Dget_space", what, path: place.file)
    let rank = Int(H5Sget_simple_extent_ndims(space.handle))
    if rank < 0 { throw failure("H5Sget_simple_extent_ndims", what, path: place.file) }
    var sizes = [hsize_t](repeating: 0, count: rank)
    var limits = sizes
    if rank > 0 {
      try check(
        unsafe H5Sget_simple_extent_dims(space.handle, &sizes, &limits), "H5Sget_simple_extent_dims", what,
        path: place.file)
    }
    isExtendable = rank > 0 && limits[0] > sizes[0]
    // An empty data space (h5py's `Empty`) has a type and no elements.
    let isNull = H5Sget_simple_extent_type(space.handle) == H5S_NULL
    shape = isNull ? [0] : try Self.integers(sizes, place)

    if layout == H5D_CHUNKED, rank > 0 {
      var chunkSizes = [hsize_t](repeating: 0, count: rank)
      try check(unsafe H5Pget_chunk(creation.handle, Int32(rank), &chunkSizes), "H5Pget_chunk", what, path: place.file)
      chunk = try Self.integers(chunkSizes, place)
      var options: UInt32 = 0
      try check(unsafe H5Pget_chunk_opts(creation.handle, &options), "H5Pget_chunk_opts", what, path: place.file)
      hasChunkOptions = options != 0
    } else {
      chunk = nil
      hasChunkOptions = false
    }
    storedBytes = Int(clamping: H5Dget_storage_size(dataset))
  }

  private static func integers(_ sizes: [hsize_t], _ place: HDF5Location) throws(HDF5Error) -> [Int] {
    var result: [Int] = []
    for size in sizes {
      guard let value = Int(exactly: size) else { throw place.forbidden("declares a dimension of \(size)") }
      result.append(value)
    }
    return result
  }

  /// The filters of a data set, in their order.
  private struct Pipeline {
    var filters = Filters()
    /// Each at most once: shuffle, deflate, Fletcher32.
    var isUsual = true
    /// Bytes of what the shuffle filter takes for an element.
    var shuffledBytes: Int?
  }

  private static func filters(_ creation: hid_t, _ place: HDF5Location) throws(HDF5Error) -> Pipeline {
    var pipeline = Pipeline()
    let count = H5Pget_nfilters(creation)
    try check(count, "H5Pget_nfilters", "open '\(place.path)'", path: place.file)
    for index in 0..<UInt32(count) {
      var flags: UInt32 = 0
      var values = [UInt32](repeating: 0, count: 8)
      var valueCount = values.count
      var name = [CChar](repeating: 0, count: 64)
      var configuration: UInt32 = 0
      let filter = unsafe H5Pget_filter2(
        creation, index, &flags, &valueCount, &values, name.count, &name, &configuration)
      switch filter {
      case H5Z_FILTER_DEFLATE:
        pipeline.isUsual = pipeline.isUsual && pipeline.filters.deflate == nil && !pipeline.filters.fletcher32
        pipeline.filters.deflate = Int(values[0])
      case H5Z_FILTER_SHUFFLE:
        pipeline.isUsual = pipeline.isUsual && pipeline.filters == .none
        pipeline.filters.shuffle = true
        pipeline.shuffledBytes = valueCount > 0 ? Int(values[0]) : 0
      case H5Z_FILTER_FLETCHER32:
        pipeline.isUsual = pipeline.isUsual && !pipeline.filters.fletcher32
        pipeline.filters.fletcher32 = true
      default:
        try check(filter, "H5Pget_filter2", "open '\(place.path)'", path: place.file)
        // The name comes from the file, and need not end.
        let given = String(decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        throw HDF5Error(
          .filter,
          "'\(place.path)' in '\(place.file)' uses the filter \(knownName(filter) ?? "'\(given)'") (number \(filter)); "
            + "only deflate, shuffle and fletcher32 are read: rewrite the file without it, for example with "
            + "h5repack -f GZIP=6",
          path: place.file)
      }
    }
    return pipeline
  }

  /// The filters that users meet most, by their registered numbers; files often give long names or none.
  private static func knownName(_ filter: H5Z_filter_t) -> String? {
    switch filter {
    case H5Z_FILTER_SZIP: "szip"
    case H5Z_FILTER_NBIT: "nbit"
    case H5Z_FILTER_SCALEOFFSET: "scaleoffset"
    case 305: "lzo"
    case 307: "bzip2"
    case 32000: "lzf"
    case 32001: "blosc"
    case 32004: "lz4"
    case 32008: "bitshuffle"
    case 32013: "zfp"
    case 32015: "zstd"
    case 32026: "blosc2"
    default: nil
    }
  }
}

extension DatasetLayout {
  /// No machine holds more, and every product of sizes stays far from overflow.
  private static let largestBytes = 1 << 56
  /// So little cannot hurt, however little is stored: a data set of zeros that was never written is legitimate.
  private static let harmlessBytes = 1 << 20
  /// Deflate cannot do better than 1,032 to 1; honest data stay far below.
  private static let largestExpansion = 1_000

  /// Throws if the data set declares sizes far beyond what the file stores, as a decompression bomb does.
  func checkSizes(fileBytes: Int, at place: HDF5Location) throws(HDF5Error) {
    // What an index claims to store cannot be more than the file.
    let stored = min(storedBytes, fileBytes)
    guard let declared = Self.product(shape, elementBytes), let chunkBytes = Self.product(chunk ?? [], elementBytes)
    else { throw place.forbidden("declares the shape \(shape), beyond any memory") }
    let largest = max(declared, chunk == nil ? 0 : chunkBytes)
    guard largest > Self.harmlessBytes, largest / Self.largestExpansion > stored else { return }
    throw place.forbidden(
      "declares \(largest) bytes and stores \(stored), more than \(Self.largestExpansion) times less")
  }

  /// The bytes of `shape` elements, nil beyond reason.
  static func product(_ shape: [Int], _ elementBytes: Int) -> Int? {
    if shape.contains(0) { return shape.allSatisfy { $0 <= largestBytes } ? 0 : nil }
    var bytes = elementBytes
    for size in shape {
      let (product, overflow) = bytes.multipliedReportingOverflow(by: size)
      if overflow || product > largestBytes { return nil }
      bytes = product
    }
    return bytes
  }

  /// The bytes of all chunks that one row touches: what the library's cache must hold so that slabs of rows, read one
  /// after the other, decode each chunk once.
  var cacheBytes: Int {
    guard let chunk, var bytes = Self.product(chunk, elementBytes) else { return 0 }
    for (size, side) in zip(shape, chunk).dropFirst() where side > 0 {
      let (product, overflow) = bytes.multipliedReportingOverflow(by: (size - 1) / side + 1)
      if overflow || product > Self.largestCache { return Self.largestCache }
      bytes = product
    }
    return min(bytes, Self.largestCache)
  }

  private static let largestCache = 64 << 20
}

extension HDF5Location {
  func forbidden(_ what: String) -> HDF5Error {
    HDF5Error(.forbidden, "'\(path)' in '\(file)' \(what); such data are not read", path: file)
  }

  /// Throws where a file is missing that a virtual data set takes its data from: the library would make up zeros in their place.
  fileprivate func checkSources(of creation: hid_t) throws(HDF5Error) {
    var count = 0
    let what = "open '\(path)'"
    try check(unsafe H5Pget_virtual_count(creation, &count), "H5Pget_virtual_count", what, path: file)
    for index in 0..<count {
      var name = [CChar](repeating: 0, count: 4096)
      guard unsafe H5Pget_virtual_filename(creation, index, &name, name.count) > 0 else { continue }
      let source = String(decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
      // The file itself, and names with a number in them, of which there may be any number.
      guard source != ".", !source.contains("%") else { continue }
      let folder = file.contains("/") ? String(file[...(file.lastIndex(of: "/") ?? file.startIndex)]) : ""
      guard unsafe access(source, R_OK) != 0, unsafe access(folder + source, R_OK) != 0 else { continue }
      throw HDF5Error(
        .missing, "'\(path)' in '\(file)' takes data from '\(source)', which cannot be read", path: file)
    }
  }
}
