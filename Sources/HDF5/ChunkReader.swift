import CHDF5

/// Reads rows of a data set whose chunks are whole rows with nothing but a checksum, as Apus writes them.
///
/// The library takes more than half of the time for the checksum; here the stored bytes go straight to their place and
/// are checked there, more than twice as fast. The chunk that a piece ends in is kept for the next piece. Whatever is
/// not as expected is left to the library, which reads it or says what is wrong. Used under the library's lock.
final class ChunkReader {
  private let rowBytes: Int
  private let chunkRows: Int
  private let rank: Int
  private var kept: [UInt8] = []
  private var keptChunk: Int?

  private var chunkBytes: Int { chunkRows * rowBytes }
  private var storedBytes: Int { chunkBytes + MemoryLayout<UInt32>.size }

  /// Nil where the data set is of another make.
  init?(_ layout: DatasetLayout, isReadOnly: Bool) {
    // While a file is written, the library's own cache may hold what the disk does not.
    guard isReadOnly, layout.isNative, layout.filters == Filters(fletcher32: true), !layout.hasChunkOptions,
      let chunk = layout.chunk, chunk.dropFirst() == layout.shape.dropFirst(),
      let bytes = DatasetLayout.product(chunk, layout.elementBytes), 1...Self.largestChunk ~= bytes
    else { return nil }
    chunkRows = chunk[0]
    rowBytes = bytes / chunkRows
    rank = chunk.count
  }

  private static let largestChunk = 64 << 20

  /// Reads `rows` to `base`, each piece that cannot be read here by `library`, which is given its rows and place.
  func read(
    _ rows: Range<Int>, of dataset: hid_t, into base: UnsafeMutableRawPointer,
    library: (Range<Int>, UnsafeMutableRawPointer) throws(HDF5Error) -> Void
  ) throws(HDF5Error) {
    var row = rows.lowerBound
    while row < rows.upperBound {
      let chunk = row / chunkRows
      let start = chunk * chunkRows
      let end = min(rows.upperBound, start + chunkRows)
      let place = unsafe base + (row - rows.lowerBound) * rowBytes
      // The checksum comes along, over the place of what is read next, so there must be a place.
      let room = (rows.upperBound - row) * rowBytes
      if row == start, room >= storedBytes, keptChunk != chunk {
        let bytes = unsafe UnsafeMutableRawBufferPointer(start: place, count: storedBytes)
        if unsafe !load(chunk, of: dataset, into: bytes) { try unsafe library(row..<end, place) }
      } else if keep(chunk, of: dataset) {
        unsafe kept.withUnsafeBytes { bytes in
          guard let source = bytes.baseAddress else { return }
          unsafe place.copyMemory(from: source + (row - start) * rowBytes, byteCount: (end - row) * rowBytes)
        }
      } else {
        try unsafe library(row..<end, place)
      }
      row = end
    }
  }

  private func keep(_ chunk: Int, of dataset: hid_t) -> Bool {
    if keptChunk == chunk { return true }
    keptChunk = nil
    if kept.isEmpty { kept = [UInt8](repeating: 0, count: storedBytes) }
    guard unsafe kept.withUnsafeMutableBytes({ unsafe load(chunk, of: dataset, into: $0) }) else { return false }
    keptChunk = chunk
    return true
  }

  /// Whether the chunk, as it is stored, now lies in `bytes` and agrees with its checksum.
  private func load(_ chunk: Int, of dataset: hid_t, into bytes: UnsafeMutableRawBufferPointer) -> Bool {
    var offset = [hsize_t](repeating: 0, count: rank)
    offset[0] = hsize_t(chunk * chunkRows)
    var size: hsize_t = 0
    // The size first, for the library writes as many bytes as the file says.
    guard unsafe H5Dget_chunk_storage_size(dataset, offset, &size) >= 0, size == hsize_t(storedBytes),
      bytes.count >= storedBytes, let base = bytes.baseAddress
    else { return false }
    var skippedFilters: UInt32 = 0
    guard unsafe chdf5_read_chunk(dataset, offset, &skippedFilters, base) >= 0, skippedFilters == 0 else {
      return false
    }
    let stored = unsafe UInt32(littleEndian: base.loadUnaligned(fromByteOffset: chunkBytes, as: UInt32.self))
    return unsafe Fletcher32.checksum(UnsafeRawBufferPointer(start: base, count: chunkBytes)) == stored
  }
}
