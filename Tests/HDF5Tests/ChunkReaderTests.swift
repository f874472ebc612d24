import Foundation
import Testing

@testable import HDF5

@Suite struct ChunkReaderTests {
  /// The checksum as the library computes it, word by word.
  private func reference(_ bytes: [UInt8]) -> UInt32 {
    var (first, second): (UInt32, UInt32) = (0, 0)
    for index in stride(from: 0, to: bytes.count, by: 2) {
      first += UInt32(bytes[index]) << 8 | (index + 1 < bytes.count ? UInt32(bytes[index + 1]) : 0)
      first = (first & 0xFFFF) + (first >> 16)
      second += first
      second = (second & 0xFFFF) + (second >> 16)
    }
    return second << 16 | first
  }

  @Test func checksumOfEveryLength() {
    var state: UInt32 = 1
    var bytes: [UInt8] = []
    for _ in 0..<20_000 {
      state = state &* 1_664_525 &+ 1_013_904_223
      bytes.append(UInt8(state >> 24))
    }
    for length in Array(0..<200) + [8190, 8191, 8192, 8193, 16_384, 16_400, 20_000] {
      let part = Array(bytes.prefix(length))
      #expect(part.withUnsafeBytes { Fletcher32.checksum($0) } == reference(part), "\(length) bytes")
    }
  }

  @Test(arguments: [0, 1, 0xFF] as [UInt8])
  func checksumOfEqualBytes(byte: UInt8) {
    for length in [1, 2, 31, 32, 33, 8192, 8193, 100_000, 131_070, 131_072] {
      let bytes = [UInt8](repeating: byte, count: length)
      #expect(bytes.withUnsafeBytes { Fletcher32.checksum($0) } == reference(bytes), "\(length) bytes of \(byte)")
    }
  }

  /// Pieces of every length from every row, in every order of looking.
  @Test(arguments: [1, 3, 7, 19, 20, 64])
  func pieces(chunkRows: Int) throws {
    let scratch = try Scratch()
    let path = scratch.path("x.h5")
    let values = (0..<20 * 3).map { UInt8($0) }
    try writeFile(path, values, shape: [20, 3], chunk: [chunkRows, 3], filters: Filters(fletcher32: true))
    let dataset = try HDF5File.open(path).dataset(named: "features")
    #expect(dataset.state.chunks != nil)
    for length in 1...20 {
      for first in 0...20 - length {
        #expect(try dataset.rows(first..<first + length) == Array(values[first * 3..<(first + length) * 3]))
      }
    }
    #expect(throws: HDF5Error.self) { try dataset.rows(19..<21, as: UInt8.self) }
    #expect(try dataset.converted(18..<20, to: Int.self) == [54, 55, 56, 57, 58, 59])
  }

  /// The chunks are read here and not by the library, which has its own, slower way.
  @Test(arguments: [
    Filters.none, Filters(fletcher32: true), Filters(shuffle: true), Filters(deflate: 4),
    Filters(shuffle: true, fletcher32: true),
    Filters(deflate: 0, fletcher32: true), Filters(deflate: 1, shuffle: true),
    Filters(deflate: 9, shuffle: true, fletcher32: true),
  ])
  func everyFilter(filters: Filters) throws {
    let scratch = try Scratch()
    func check<Element: HDF5Element & Equatable>(_ values: [Element]) throws {
      for (chunk, expected) in [([4, 3], true), ([7, 3], true), ([20, 3], true), ([4, 2], false)] {
        let path = scratch.path("x.h5")
        try writeFile(path, values, shape: [20, 3], chunk: chunk, filters: filters)
        let dataset = try HDF5File.open(path).dataset(named: "features")
        #expect((dataset.state.chunks != nil) == expected)
        for rows in [0..<20, 1..<20, 3..<4, 8..<12, 19..<20] {
          #expect(try dataset.rows(rows) == Array(values[3 * rows.lowerBound..<3 * rows.upperBound]))
        }
      }
    }
    try check((0..<60).map { UInt8($0) })
    try check((0..<60).map { Int16(-300 * $0) })
    try check((0..<60).map { Float($0) * 0.1 })
    try check((0..<60).map { Double($0) * 0.1 })
  }

  /// A damaged chunk is told by the library, in its words.
  @Test(arguments: [Filters(deflate: 4, shuffle: true, fletcher32: true), Filters(deflate: 4, shuffle: true)])
  func damagedChunks(filters: Filters) throws {
    let scratch = try Scratch()
    let path = scratch.path("x.h5")
    try writeFile(
      path, (0..<3_000).map { UInt32($0) &* 2_654_435_761 }, shape: [1_000, 3], chunk: [500, 3], filters: filters)
    var bytes = try Data(contentsOf: URL(fileURLWithPath: path))
    // Somewhere in the second half of the file lies the second chunk.
    for index in bytes.count * 3 / 4..<bytes.count * 3 / 4 + 64 { bytes[index] ^= 0x5A }
    try bytes.write(to: URL(fileURLWithPath: path))
    let dataset = try HDF5File.open(path).dataset(named: "features")
    #expect(throws: HDF5Error.self) { try dataset.rows(0..<1_000, as: UInt32.self) }
    #expect(try dataset.rows(0..<500) == (0..<1_500).map { UInt32($0) &* 2_654_435_761 })
  }

  /// As h5py writes them; and in an order of filters that is not ours, which the library reads.
  /// Chunks written past the library, among rows that it writes: it reads them, and checks what stands behind them.
  @Test(arguments: [MaximumRows.fixed, .unlimited])
  func wholeChunksPastTheLibrary(rows maximum: MaximumRows) throws {
    let scratch = try Scratch()
    let path = scratch.path("x.h5")
    let values = (0..<23 * 3).map { Float($0) * 1.25 - 7 }
    do {
      let file = try HDF5File.create(path)
      let set = try file.createDataset(
        named: "x", type: .float32, shape: [maximum == .fixed ? 23 : 0, 3], chunk: [5, 3],
        filters: Filters(fletcher32: true), maximumRows: maximum)
      for row in [0, 5, 10, 15] {
        var chunk = Array(values[3 * row..<3 * (row + 5)]) + [0]
        var span = chunk.mutableSpan
        try set.writeChunk(&span, firstRow: row)
      }
      try set.write(Array(values[60...]).span, rows: 20..<23)
      #expect(set.shape == [23, 3])
      // A file that is written is read by the library, which verifies its checksums.
      var read = [Float](repeating: 0, count: values.count)
      var room = read.mutableSpan
      try set.read(rows: 0..<23, into: &room)
      #expect(read == values)
      try file.close()
    }
    var read = [Float](repeating: 0, count: values.count)
    var room = read.mutableSpan
    try HDF5File.open(path).dataset(named: "x").read(rows: 0..<23, into: &room)
    #expect(read == values)
  }

  @Test(.enabled(if: Python.isAvailable, "no Python with h5py; set APUS_PYTHON"))
  func filtersOfH5py() throws {
    let scratch = try Scratch()
    let path = scratch.path("x.h5")
    try Python.text(
      """
      values = numpy.arange(3000, dtype='f4').reshape(1000, 3) / 7
      with h5py.File(sys.argv[1], 'w') as f:
        f.create_dataset('a', data=values, chunks=(300, 3), shuffle=True, compression=6, fletcher32=True)
        f.create_dataset('b', data=values, chunks=(300, 3), compression=1)
        plist = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        plist.set_chunk((300, 3)); plist.set_fletcher32(); plist.set_deflate(4); plist.set_shuffle()
        space = h5py.h5s.create_simple((1000, 3))
        d = h5py.Dataset(h5py.h5d.create(f.id, b'c', h5py.h5t.NATIVE_FLOAT, space, plist))
        d[...] = values
      """, [path])
    for (name, isOwn) in [("a", true), ("b", true), ("c", false)] {
      let dataset = try HDF5File.open(path).dataset(named: name)
      #expect((dataset.state.chunks != nil) == isOwn)
      #expect(try dataset.rows(0..<1_000) == (0..<3_000).map { Float($0) / 7 })
      #expect(try dataset.rows(299..<601) == (897..<1_803).map { Float($0) / 7 })
    }
  }

  @Test(.enabled(if: Python.isAvailable, "no Python with h5py; set APUS_PYTHON"))
  func chunksThatWereNeverWritten() throws {
    let scratch = try Scratch()
    let path = scratch.path("x.h5")
    try Python.text(
      """
      with h5py.File(sys.argv[1], 'w') as f:
        d = f.create_dataset('features', (20, 3), 'f4', chunks=(4, 3), fletcher32=True, fillvalue=5)
        d[8:12] = 1
      """, [path])
    let dataset = try HDF5File.open(path).dataset(named: "features")
    #expect(dataset.state.chunks != nil)
    let expected = (0..<60).map { Float(24..<36 ~= $0 ? 1 : 5) }
    #expect(try dataset.rows(0..<20) == expected)
    #expect(try (0..<20).flatMap { try dataset.rows($0..<$0 + 1, as: Float.self) } == expected)
  }

  /// What h5py writes has the checksum that we expect, else the library would read it.
  @Test(.enabled(if: Python.isAvailable, "no Python with h5py; set APUS_PYTHON"))
  func checksumOfH5py() throws {
    let scratch = try Scratch()
    let path = scratch.path("x.h5")
    let stored = try Python.text(
      """
      with h5py.File(sys.argv[1], 'w') as f:
        d = f.create_dataset('features', data=numpy.arange(999, dtype='f4'), chunks=(333,), fletcher32=True)
        f.flush()
        print(int.from_bytes(d.id.read_direct_chunk((333,))[1][-4:], 'little'))
      """, [path])
    let values = (333..<666).map { Float($0) }
    #expect("\(values.withUnsafeBytes { Fletcher32.checksum($0) })\n" == stored)
  }
}
