import Foundation
import HDF5
import Kernels
import Testing

@testable import Data

@Suite struct ShardWriterTests {
  private let scratch: Scratch
  init() throws { scratch = try Scratch() }

  /// Writes rows 0 up to `rows` in pieces of `piece`.
  @discardableResult
  private func write(
    _ name: String, rows: Int, columns: Int = 3, targets: ShardWriter.Targets = .labels,
    options: ShardWriter.Options = .init(), piece: Int = 7
  ) throws -> String {
    let path = scratch.file(name)
    let writer = try ShardWriter(path: path, columns: columns, targets: targets, options: options)
    var row = 0
    while row < rows {
      let count = min(piece, rows - row)
      let features = FloatBuffer((0..<count * columns).map { Float(row * columns + $0) })
      let values = FloatBuffer((0..<count * targets.perRow).map { Float((row * targets.perRow + $0) % 5) })
      try writer.append(features, MatrixView(rows: count, columns: columns), targets: values)
      row += count
    }
    #expect(writer.rows == rows)
    try writer.finish()
    return path
  }

  private func read(_ path: String, _ use: TargetUse, columns: Int = 3) throws -> (
    features: [[Float]], targets: [Float]
  ) {
    let dataset = try describe([path])
    let reader = try RowReader(dataset: dataset, targetUse: use)
    return try reader.withRows(0..<dataset.rows) { features, view, targets, offset in
      (rowsOf(features, view), targets.values(in: offset..<offset + view.rows * use.floatsPerRow))
    }
  }

  @Test(arguments: [0, 1, 7, 9, 10, 11, 35])
  func rowsComeBack(rows: Int) throws {
    for compression in [nil, 4] {
      let path = try write("w.h5", rows: rows, options: .init(compression: compression, chunkRows: 10))
      let (features, targets) = try read(path, .classIndex(classes: 5))
      #expect(features == (0..<rows).map { row in (0..<3).map { Float(row * 3 + $0) } })
      #expect(targets == (0..<rows).map { Float($0 % 5) })
      #expect(scratch.names == ["w.h5"])
    }
  }

  /// Rows picked out of a table, in pieces of any length: the file is that of the rows written one behind the other.
  @Test(arguments: [nil, 4])
  func rowsThatArePickedOut(compression: Int?) throws {
    let rows = 33
    let expected = try write("a.h5", rows: rows, options: .init(compression: compression, chunkRows: 10))
    // The rows lie the other way round.
    let features = FloatBuffer((0..<rows).reversed().flatMap { row in (0..<3).map { Float(row * 3 + $0) } })
    let labels = FloatBuffer((0..<rows).reversed().map { Float($0 % 5) })
    let places = (0..<rows).map { Int32(rows - 1 - $0) }
    let writer = try ShardWriter(
      path: scratch.file("b.h5"), columns: 3, targets: .labels, options: .init(compression: compression, chunkRows: 10))
    for part in [0..<4, 4..<4, 4..<25, 25..<33] {
      try writer.append(rows: places, part, of: features, targets: labels)
    }
    #expect(writer.rows == rows)
    try writer.finish()
    #expect(try Data(contentsOf: URL(filePath: scratch.file("b.h5"))) == Data(contentsOf: URL(filePath: expected)))
    let wrong = try ShardWriter(path: scratch.file("c.h5"), columns: 3, targets: .labels)
    #expect(throws: DataError.self) {
      try wrong.append(rows: [0], 0..<1, of: features, targets: FloatBuffer([0.5]))
    }
  }

  @Test func targetsAreStoredAsTheyAreMeant() throws {
    func type(_ path: String) throws -> (ElementType, [Int]) {
      let set = try HDF5File.open(path).dataset(named: "targets")
      return (set.elementType, set.shape)
    }
    #expect(try type(write("l.h5", rows: 9)) == (.int32, [9]))
    #expect(try type(write("v.h5", rows: 9, targets: .values(outputs: 1))) == (.float32, [9]))
    #expect(try type(write("w.h5", rows: 9, targets: .values(outputs: 2))) == (.float32, [9, 2]))
    let none = try write("n.h5", rows: 9, targets: .none)
    #expect(try HDF5File.open(none).names().map(\.name) == ["features"])
    #expect(try read(scratch.file("w.h5"), .values(outputs: 2)).targets == (0..<18).map { Float($0 % 5) })
  }

  @Test func chunksOfAMebibyteWithChecksums() throws {
    let path = try write("c.h5", rows: 9_000, columns: 64, piece: 1_000)
    let file = try HDF5File.open(path)
    let features = try file.dataset(named: "features")
    #expect(features.chunk == [4_096, 64])
    #expect(features.filters == Filters(fletcher32: true))
    #expect(try file.dataset(named: "targets").filters.fletcher32)
    // A shard smaller than a chunk takes no more than its rows.
    let small = try write("s.h5", rows: 10, columns: 64)
    #expect(try HDF5File.open(small).dataset(named: "features").chunk == [10, 64])
    let packed = try write("p.h5", rows: 100, options: .init(compression: 6))
    #expect(
      try HDF5File.open(packed).dataset(named: "features").filters
        == Filters(deflate: 6, shuffle: true, fletcher32: true))
  }

  @Test func theSameRowsGiveTheSameBytes() throws {
    for rows in [5, 1_000] {
      let options = ShardWriter.Options(compression: 1, chunkRows: 100)
      let first = try write("a.h5", rows: rows, options: options, piece: 7)
      let second = try write("b.h5", rows: rows, options: options, piece: 250)
      #expect(
        try Foundation.Data(contentsOf: URL(filePath: first)) == Foundation.Data(contentsOf: URL(filePath: second)))
    }
  }

  @Test func viewsWithGapsAndOffsets() throws {
    let path = scratch.file("g.h5")
    let writer = try ShardWriter(path: path, columns: 2, targets: .labels)
    let features = FloatBuffer((0..<20).map { Float($0) })
    try writer.append(
      features, MatrixView(offset: 1, rows: 3, columns: 2, rowStride: 5), targets: FloatBuffer([9, 0, 1, 2]), at: 1)
    try writer.finish()
    let (rows, targets) = try read(path, .classIndex(classes: 3))
    #expect(rows == [[1, 2], [6, 7], [11, 12]] && targets == [0, 1, 2])
  }

  @Test func whatIsNotFinishedLeavesNothing() throws {
    do {
      let writer = try ShardWriter(path: scratch.file("u.h5"), columns: 1, targets: .none, options: .init(chunkRows: 2))
      try writer.append(FloatBuffer([1, 2, 3]), MatrixView(rows: 3, columns: 1), targets: FloatBuffer(count: 0))
      #expect(scratch.names.count == 1 && scratch.names[0].hasPrefix("."))
    }
    #expect(scratch.names.isEmpty)
  }

  @Test func labelsHaveToBeWholeNumbers() throws {
    for label in [0.5, Float.nan, 1e20] {
      let writer = try ShardWriter(path: scratch.file("x.h5"), columns: 1, targets: .labels)
      let error = dataError {
        try writer.append(FloatBuffer([1, 2]), MatrixView(rows: 2, columns: 1), targets: FloatBuffer([1, label]))
      }
      #expect(error.kind == .invalid && error.message.contains("row 1"))
    }
  }

  @Test func aDirectoryThatIsNotThere() {
    let error = dataError { _ = try ShardWriter(path: scratch.file("no/x.h5"), columns: 1, targets: .none) }
    #expect(error.kind == .output && error.message.contains("no/x.h5"))
  }

  @Test func theOldFileStaysUntilTheNewOneIsComplete() throws {
    let path = try write("r.h5", rows: 3)
    let writer = try ShardWriter(path: path, columns: 3, targets: .labels)
    #expect(try read(path, .classIndex(classes: 5)).features.count == 3)
    try writer.append(FloatBuffer([1, 2, 3]), MatrixView(rows: 1, columns: 3), targets: FloatBuffer([0]))
    try writer.finish()
    #expect(try read(path, .classIndex(classes: 5)).features == [[1, 2, 3]])
  }
}
