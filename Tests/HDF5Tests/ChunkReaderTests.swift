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
  @Test func onlyOwnMake() throws {
    let scratch = try Scratch()
    for (filters, chunk, expected) in [
      (Filters(fletcher32: true), [4, 3], true), (Filters(fletcher32: true), [4, 2], false), (.none, [4, 3], false),
      (Filters(deflate: 1, fletcher32: true), [4, 3], false),
      (Filters(shuffle: true, fletcher32: true), [4, 3], false),
    ] {
      let path = scratch.path("x.h5")
      try writeFile(path, (0..<60).map { Float($0) }, shape: [20, 3], chunk: chunk, filters: filters)
      let dataset = try HDF5File.open(path).dataset(named: "features")
      #expect((dataset.state.chunks != nil) == expected)
      #expect(try dataset.rows(1..<20) == (3..<60).map { Float($0) })
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
