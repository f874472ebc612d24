import CHDF5
import Synchronization

/// Reads rows of a data set whose chunks are whole rows, as Apus and most others write them.
///
/// The library takes most of its time for the checksum, for putting sorted bytes back and for buffers that grow; here the stored
/// bytes go straight to their place, or through one buffer, and are checked and decoded there, outside of the library's lock, so that
/// threads with data sets of their own decode at the same time. The chunk that a piece ends in is kept for the next piece. Whatever
/// is not as expected is left to the library, which reads it or says what is wrong.
final class ChunkReader: Sendable {
  private let rowBytes: Int
  private let chunkRows: Int
  private let rank: Int
  private let decoder: ChunkDecoder

  /// What is kept between reads.
  private struct Kept {
    var chunk: Int?
    var bytes: [UInt8] = []
  }
  private let kept = Mutex(Kept())

  private var chunkBytes: Int { chunkRows * rowBytes }

  /// Nil where the data set is of another make.
  init?(_ layout: DatasetLayout, isReadOnly: Bool) {
    // While a file is written, the library's own cache may hold what the disk does not.
    guard isReadOnly, layout.isNative, layout.hasUsualFilters, !layout.hasChunkOptions,
      let chunk = layout.chunk, chunk.dropFirst() == layout.shape.dropFirst(),
      let bytes = DatasetLayout.product(chunk, layout.elementBytes), 1...Self.largestChunk ~= bytes
    else { return nil }
    chunkRows = chunk[0]
    rowBytes = bytes / chunkRows
    rank = chunk.count
    decoder = ChunkDecoder(filters: layout.filters, bytes: bytes, elementBytes: layout.elementBytes)
  }

  private static let largestChunk = 64 << 20

  /// Reads `rows` to `base`, each piece that cannot be read here by `library`, which is given its rows and place.
  /// - Parameter room: bytes from `base` on that may be written over; at least those of the rows.
  func read(
    _ rows: Range<Int>, of dataset: hid_t, into base: UnsafeMutableRawPointer, room: Int,
    library: (Range<Int>, UnsafeMutableRawPointer) throws(HDF5Error) -> Void
  ) throws(HDF5Error) {
    try kept.withLock { kept throws(HDF5Error) in
      var row = rows.lowerBound
      while row < rows.upperBound {
        let chunk = row / chunkRows
        let start = chunk * chunkRows
        let end = min(rows.upperBound, start + chunkRows)
        let done = (row - rows.lowerBound) * rowBytes
        let place = unsafe base + done
        // A checksum may come along, over the place of what is read next, so there must be a place. A chunk at the end of the data
        // set has more rows in the file than there are.
        if row == start, room - done >= decoder.room, kept.chunk != chunk {
          let bytes = unsafe UnsafeMutableRawBufferPointer(start: place, count: room - done)
          if unsafe !load(chunk, of: dataset, into: bytes) { try unsafe library(row..<end, place) }
        } else if keep(chunk, of: dataset, &kept) {
          unsafe kept.bytes.withUnsafeBytes { bytes in
            guard let source = bytes.baseAddress else { return }
            unsafe place.copyMemory(from: source + (row - start) * rowBytes, byteCount: (end - row) * rowBytes)
          }
        } else {
          try unsafe library(row..<end, place)
        }
        row = end
      }
    }
  }

  /// What is kept may have changed in the file.
  func forget() { kept.withLock { $0.chunk = nil } }

  private func keep(_ chunk: Int, of dataset: hid_t, _ kept: inout Kept) -> Bool {
    if kept.chunk == chunk { return true }
    kept.chunk = nil
    ChunkScratch.grow(&kept.bytes, to: decoder.room)
    guard unsafe kept.bytes.withUnsafeMutableBytes({ unsafe load(chunk, of: dataset, into: $0) }) else { return false }
    kept.chunk = chunk
    return true
  }

  /// Whether the chunk now lies in `bytes`, which has room for it and its checksum, as it was before it was stored.
  private func load(_ chunk: Int, of dataset: hid_t, into bytes: UnsafeMutableRawBufferPointer) -> Bool {
    if decoder.isDirect {
      guard let size = unsafe fetch(chunk, of: dataset, into: bytes, sizes: decoder.room...decoder.room) else {
        return false
      }
      return unsafe decoder.isSound(UnsafeRawBufferPointer(rebasing: bytes[..<size]))
    }
    return ChunkScratch.use { scratch in
      ChunkScratch.grow(&scratch.stored, to: decoder.largestStored)
      let size = unsafe scratch.stored.withUnsafeMutableBytes {
        unsafe fetch(chunk, of: dataset, into: $0, sizes: 1...decoder.largestStored)
      }
      guard let size else { return false }
      return unsafe decoder.decode(storedBytes: size, of: scratch, into: bytes)
    }
  }

  /// Reads a chunk as it is stored; returns its size, nil where it is none of `sizes` or has passed other filters.
  private func fetch(
    _ chunk: Int, of dataset: hid_t, into bytes: UnsafeMutableRawBufferPointer, sizes: ClosedRange<Int>
  ) -> Int? {
    Library.locked {
      var offset = [hsize_t](repeating: 0, count: rank)
      offset[0] = hsize_t(chunk * chunkRows)
      var size: hsize_t = 0
      // The size first, for the library writes as many bytes as the file says.
      guard unsafe H5Dget_chunk_storage_size(dataset, offset, &size) >= 0, let count = Int(exactly: size),
        sizes.contains(count), count <= bytes.count, let base = bytes.baseAddress
      else { return nil }
      var skippedFilters: UInt32 = 0
      guard unsafe chdf5_read_chunk(dataset, offset, &skippedFilters, base) >= 0, skippedFilters == 0 else {
        return nil
      }
      return count
    }
  }
}
