import Foundation
import Testing

@testable import HDF5

@Suite struct RowPiecesTests {
  /// All rows that pieces give of `rows`; nil where there are no pieces, or too few.
  private func rows(_ dataset: borrowing HDF5Dataset, _ rows: Range<Int>, columns: Int) -> [Float]? {
    guard var pieces = dataset.pieces(of: rows, as: Float.self) else { return nil }
    var room = [Float](repeating: -1, count: min(pieces.largest, rows.count) * columns)
    var found: [Float] = []
    var span = room.mutableSpan
    while let count = pieces.next(into: &span) {
      for index in 0..<count * columns { found.append(span[index]) }
    }
    return found.count == rows.count * columns ? found : nil
  }

  /// Rows of 12 KB: some ten of them are a piece, so that pieces end within chunks.
  @Test(arguments: [nil, 25] as [Int?], [Filters.none, Filters(fletcher32: true)])
  func sameRowsAsTheLibrary(chunkRows: Int?, filters: Filters) throws {
    guard chunkRows != nil || filters == .none else { return }
    let scratch = try Scratch()
    let (count, columns) = (110, 3000)
    let path = scratch.path("x.h5")
    let values = (0..<count * columns).map { Float($0) * 0.5 }
    try writeFile(
      path, values, shape: [count, columns], chunk: chunkRows.map { [$0, columns] }, filters: filters)
    let dataset = try HDF5File.open(path).dataset(named: "features")
    for wanted in [0..<100, 25..<50, 50..<100, 3..<30, 99..<110, 0..<110, 0..<1] {
      let found = rows(dataset, wanted, columns: columns)
      // The checksum is that of a whole chunk.
      let isWhole = wanted.lowerBound.isMultiple(of: 25) && wanted.upperBound.isMultiple(of: 25)
      #expect((found != nil) == (!filters.fletcher32 || isWhole), "\(wanted)")
      if let found { #expect(found == Array(values[wanted.lowerBound * columns..<wanted.upperBound * columns])) }
    }
    #expect(rows(dataset, 100..<111, columns: columns) == nil)
    #expect(rows(dataset, 5..<5, columns: columns) == nil)
    let isOfAnotherType = dataset.pieces(of: 0..<1, as: Int32.self) == nil
    #expect(isOfAnotherType)
  }

  @Test func damagedRowsAreNotGiven() throws {
    let scratch = try Scratch()
    let path = scratch.path("x.h5")
    let values = (0..<3000).map { Float($0) * 1.25 }
    try writeFile(path, values, shape: [1000, 3], chunk: [500, 3], filters: Filters(fletcher32: true))
    var bytes = try Data(contentsOf: URL(fileURLWithPath: path))
    let pattern = withUnsafeBytes(of: Float(2700) * 1.25) { Data($0) }
    let place = try #require(bytes.range(of: pattern))
    bytes[place.lowerBound] ^= 1
    try bytes.write(to: URL(fileURLWithPath: path))
    let dataset = try HDF5File.open(path).dataset(named: "features")
    #expect(rows(dataset, 0..<500, columns: 3) == Array(values[..<1500]))
    #expect(rows(dataset, 500..<1000, columns: 3) == nil)
    #expect(rows(dataset, 0..<1000, columns: 3) == nil)
  }

  /// What is compressed, of another byte order, never written or behind a block of the user's is the library's.
  @Test(.enabled(if: Python.isAvailable, "no Python with h5py; set APUS_PYTHON"))
  func whatDoesNotLieInTheFileAsInMemory() throws {
    let scratch = try Scratch()
    let path = scratch.path("x.h5")
    let other = scratch.path("y.h5")
    try Python.text(
      """
      values = numpy.arange(60, dtype='f4').reshape(20, 3)
      with h5py.File(sys.argv[1], 'w') as f:
        f.create_dataset('plain', data=values)
        f.create_dataset('deflated', data=values, chunks=(4, 3), compression=1)
        f.create_dataset('columns', data=values, chunks=(4, 2))
        f.create_dataset('big', data=values.astype('>f4'))
        f.create_dataset('unwritten', (20, 3), 'f4')
        f.create_dataset('compact', data=values, dcpl=(lambda p: (p.set_layout(h5py.h5d.COMPACT), p)[1])(
          h5py.h5p.create(h5py.h5p.DATASET_CREATE)))
      with h5py.File(sys.argv[2], 'w', userblock_size=512) as f:
        f.create_dataset('plain', data=values)
      """, [path, other])
    let file = try HDF5File.open(path)
    #expect(try rows(file.dataset(named: "plain"), 2..<20, columns: 3) == (6..<60).map { Float($0) })
    for name in ["deflated", "columns", "big", "unwritten", "compact"] {
      #expect(try rows(file.dataset(named: name), 0..<20, columns: 3) == nil, "\(name)")
    }
    #expect(try rows(HDF5File.open(other).dataset(named: "plain"), 0..<20, columns: 3) == nil)
    // The data of a trusted file may lie in another one.
    #expect(try rows(HDF5File.open(path, trusted: true).dataset(named: "plain"), 0..<20, columns: 3) == nil)
  }
}
