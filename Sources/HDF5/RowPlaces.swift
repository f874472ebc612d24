import CHDF5

/// Where the rows of a data set lie in its file, if they lie there as they do in memory.
struct RowPlaces: Sendable {
  private let descriptor: Int32
  private let rank: Int
  private let rows: Int
  private let rowBytes: Int
  /// Nil where all rows lie one behind the other.
  private let chunkRows: Int?
  private let hasChecksum: Bool

  /// Nil where the data set is of another make. The caller holds the lock.
  init?(_ layout: DatasetLayout, in session: FileSession) {
    // While a file is written, the library's own cache may hold what the disk does not; what is read of a trusted one may lie in another.
    guard session.isReadOnly, !session.isShared, !session.isTrusted, layout.isNative, layout.hasUsualFilters,
      !layout.hasChunkOptions,
      layout.filters.deflate == nil, !layout.filters.shuffle || layout.elementBytes == 1, let rows = layout.shape.first,
      let rowBytes = DatasetLayout.product(Array(layout.shape.dropFirst()), layout.elementBytes), rowBytes > 0,
      rowBytes.isMultiple(of: 2), let bytes = DatasetLayout.product(layout.shape, layout.elementBytes)
    else { return nil }
    if let chunk = layout.chunk {
      guard chunk.dropFirst() == layout.shape.dropFirst(), chunk[0] > 0 else { return nil }
    } else {
      guard layout.storedBytes >= bytes else { return nil }
    }
    descriptor = chdf5_descriptor(session.handle)
    if descriptor < 0 { return nil }
    rank = layout.shape.count
    self.rows = rows
    self.rowBytes = rowBytes
    chunkRows = layout.chunk?[0]
    hasChecksum = layout.filters.fletcher32
  }

  /// `wanted` in pieces; nil where they do not lie in the file so. The caller holds the lock.
  func pieces(of wanted: Range<Int>, of dataset: hid_t, _ session: FileSession) -> RowPieces? {
    guard wanted.lowerBound >= 0, wanted.upperBound <= rows else { return nil }
    var runs: [RowPieces.Run] = []
    if let chunkRows {
      var row = wanted.lowerBound
      while row < wanted.upperBound {
        let start = row / chunkRows * chunkRows
        let end = min(wanted.upperBound, start + chunkRows)
        // The checksum is that of the whole chunk.
        guard !hasChecksum || end - row == chunkRows,
          let offset = offset(ofChunkAt: start, of: dataset)
        else { return nil }
        runs.append(
          RowPieces.Run(offset: offset + (row - start) * rowBytes, rows: end - row, isChecked: hasChecksum))
        row = end
      }
    } else {
      guard let start = Self.sensible(chdf5_offset(dataset)) else { return nil }
      runs.append(
        RowPieces.Run(offset: start + wanted.lowerBound * rowBytes, rows: wanted.count, isChecked: false))
    }
    return RowPieces(runs, rowBytes: rowBytes, descriptor: descriptor, session: session)
  }

  private func offset(ofChunkAt row: Int, of dataset: hid_t) -> Int? {
    var place = [hsize_t](repeating: 0, count: rank)
    place[0] = hsize_t(row)
    let bytes = (chunkRows ?? 0) * rowBytes + (hasChecksum ? MemoryLayout<UInt32>.size : 0)
    return Self.sensible(unsafe chdf5_chunk_offset(dataset, place, hsize_t(bytes)))
  }

  /// A place that no sum with sizes overflows.
  private static func sensible(_ offset: Int64) -> Int? { 0..<1 << 60 ~= offset ? Int(offset) : nil }
}

extension HDF5Dataset {
  /// `rows` in pieces, past the library, if they lie in the file as they do in memory, `Element` by `Element`; nil where `read` must be asked.
  public func pieces<Element: HDF5Element>(of rows: Range<Int>, as _: Element.Type) -> RowPieces? {
    guard let places = state.places, elementType == Element.elementType, !rows.isEmpty else { return nil }
    let handle = identifier.handle
    return Library.locked { places.pieces(of: rows, of: handle, session) }
  }
}
