import Foundation
import HDF5
import Testing

@Suite struct RoundTripTests {
  private func roundTrip<Element: HDF5Element & Equatable>(_ values: [Element], _ type: ElementType) throws {
    let scratch = try Scratch()
    let path = scratch.path("x.h5")
    try writeFile(path, values, shape: [values.count])
    let dataset = try HDF5File.open(path).dataset(named: "features")
    #expect(dataset.elementType == type)
    #expect(dataset.shape == [values.count])
    #expect(try dataset.rows(0..<values.count, as: Element.self) == values)
    #expect(try dataset.values(as: Element.self) == values)
  }

  @Test func everyElementType() throws {
    try roundTrip([0, -1.5, .infinity, .leastNonzeroMagnitude] as [Float], .float32)
    try roundTrip([0, -1.5, .infinity, .leastNonzeroMagnitude] as [Double], .float64)
    try roundTrip([.min, -1, .max] as [Int8], .int8)
    try roundTrip([.min, -1, .max] as [Int16], .int16)
    try roundTrip([.min, -1, .max] as [Int32], .int32)
    try roundTrip([.min, -1, .max] as [Int64], .int64)
    try roundTrip([.min, -1, .max] as [Int], .int64)
    try roundTrip([0, 1, .max] as [UInt8], .uint8)
    try roundTrip([0, 1, .max] as [UInt16], .uint16)
    try roundTrip([0, 1, .max] as [UInt32], .uint32)
    try roundTrip([0, 1, .max] as [UInt64], .uint64)
  }

  static let shapes = [[], [7], [5, 3], [4, 3, 2], [3, 2, 2, 2], [0], [0, 3], [3, 0], [1, 1, 1, 1]]
  static let manyFilters: [Filters] = [
    .none, Filters(fletcher32: true), Filters(deflate: 6, shuffle: true),
    Filters(deflate: 1, shuffle: true, fletcher32: true),
  ]

  @Test(arguments: shapes, manyFilters)
  func everyRankAndFilter(shape: [Int], filters: Filters) throws {
    // A single value cannot be chunked.
    let filters = shape.isEmpty ? .none : filters
    let scratch = try Scratch()
    let path = scratch.path("x.h5")
    let values = (0..<shape.reduce(1, *)).map { Float($0) * 0.5 }
    try writeFile(
      path, values, shape: shape, chunk: shape.isEmpty ? nil : shape.map { max(1, $0 / 2) }, filters: filters)
    let dataset = try HDF5File.open(path).dataset(named: "features")
    #expect(dataset.shape == shape)
    #expect(dataset.filters == filters)
    #expect(try dataset.values(as: Float.self) == values)
    if let rows = shape.first {
      let row = shape.dropFirst().reduce(1, *)
      for first in 0...rows {
        for last in first...rows {
          #expect(try dataset.rows(first..<last, as: Float.self) == Array(values[first * row..<last * row]))
        }
      }
    }
  }

  @Test func blocks() throws {
    let scratch = try Scratch()
    let path = scratch.path("x.h5")
    try writeFile(path, (0..<60).map { Int32($0) }, shape: [5, 4, 3], chunk: [2, 2, 2])
    let dataset = try HDF5File.open(path).dataset(named: "features")
    var values = [Int32](repeating: 0, count: 4)
    var span = values.mutableSpan
    try dataset.read(start: [1, 2, 0], count: [2, 1, 2], into: &span)
    #expect(values == [18, 19, 30, 31])
    var doubles = [Double](repeating: 0, count: 2)
    var doubleSpan = doubles.mutableSpan
    try dataset.readConverting(start: [4, 3, 1], count: [1, 1, 2], into: &doubleSpan)
    #expect(doubles == [58, 59])
  }

  /// More numbers than are converted at a time.
  @Test(arguments: [nil, [1000, 2]]) func manyConverted(chunk: [Int]?) throws {
    let scratch = try Scratch()
    let path = scratch.path("x.h5")
    let numbers = (0..<70_000).map { Int32(truncatingIfNeeded: $0 &* 40_503 &- 1_000_000_000) }
    try writeFile(path, numbers, shape: [35_000, 2], chunk: chunk)
    let dataset = try HDF5File.open(path).dataset(named: "features")
    #expect(try dataset.converted(7..<34_998, to: Float.self) == numbers[14..<69_996].map { Float($0) })
    #expect(try dataset.converted(0..<35_000, to: Double.self) == numbers.map { Double($0) })
  }

  @Test func blocksBeyondTheData() throws {
    let scratch = try Scratch()
    let path = scratch.path("x.h5")
    try writeFile(path, (0..<12).map { Int32($0) }, shape: [4, 3])
    let file = try HDF5File.open(path)
    let dataset = try file.dataset(named: "features")
    var values = [Int32](repeating: 0, count: 6)
    #expect(throws: HDF5Error.self) {
      var span = values.mutableSpan
      try dataset.read(start: [3, 0], count: [2, 3], into: &span)
    }
    #expect(throws: HDF5Error.self) {
      var span = values.mutableSpan
      try dataset.read(start: [0], count: [6], into: &span)
    }
    let error = try failure { _ = try dataset.rows(3..<5, as: Int32.self) }
    #expect(error.message.hasPrefix("rows 3..<5 of '/features'"))
    #expect(error.message.hasSuffix("it has 4"))
    _ = values
  }

  @Test func rowsAreAdded() throws {
    let scratch = try Scratch()
    let path = scratch.path("x.h5")
    let file = try HDF5File.create(path)
    let dataset = try file.createDataset(
      named: "features", type: .float32, shape: [0, 2], chunk: [3, 2], filters: Filters(fletcher32: true),
      maximumRows: .unlimited)
    #expect(dataset.isExtendable == true)
    var expected: [Float] = []
    for step in 0..<5 {
      let rows = (0..<2 * step).map { Float(step * 10 + $0) }
      let first = expected.count / 2
      try dataset.write(rows.span, rows: first..<first + step)
      expected += rows
    }
    #expect(dataset.shape == [10, 2])
    #expect(try dataset.rows(0..<10, as: Float.self) == expected)
    try file.close()
    #expect(try HDF5File.open(path).dataset(named: "features").values(as: Float.self) == expected)
  }

  @Test func rowsBeyondAFixedNumber() throws {
    let scratch = try Scratch()
    let file = try HDF5File.create(scratch.path("x.h5"))
    let dataset = try file.createDataset(named: "features", type: .int8, shape: [2])
    let error = try failure { try dataset.write([1, 2, 3].span as Span<Int8>, rows: 0..<3) }
    #expect(error.kind == .other)
  }

  @Test func chunkOfWholeRows() throws {
    #expect(HDF5Dataset.chunkOfRows(shape: [200_000, 100], elementBytes: 4) == [2621, 100])
    #expect(HDF5Dataset.chunkOfRows(shape: [10, 0], elementBytes: 4) == [262_144, 1])
    #expect(HDF5Dataset.chunkOfRows(shape: [3, 1 << 20], elementBytes: 8) == [1, 1 << 20])
    let scratch = try Scratch()
    let file = try HDF5File.create(scratch.path("x.h5"))
    let filtered = try file.createDataset(
      named: "a", type: .float32, shape: [200_000, 100], filters: Filters(fletcher32: true))
    #expect(filtered.chunk == [2621, 100])
    let small = try file.createDataset(named: "b", type: .float32, shape: [3, 2], chunk: [100, 100])
    #expect(small.chunk == [3, 2])
    #expect(try file.createDataset(named: "c", type: .float32, shape: [3, 2]).chunk == nil)
  }

  @Test func conversionIsByNameOnly() throws {
    let scratch = try Scratch()
    let path = scratch.path("x.h5")
    try writeFile(path, [0, 1, 255] as [UInt8], shape: [3])
    let dataset = try HDF5File.open(path).dataset(named: "features")
    let error = try failure { _ = try dataset.rows(0..<3, as: Float.self) }
    #expect(error.kind == .typeMismatch)
    #expect(error.message == "'/features' in '\(path)' holds uint8, not float32")
    #expect(throws: HDF5Error.self) { _ = try dataset.rows(0..<3, as: Int8.self) }
    #expect(try dataset.converted(0..<3, to: Float.self) == [0, 1, 255])
    #expect(try dataset.converted(0..<3, to: Int64.self) == [0, 1, 255])
  }

  @Test func sameContentsSameBytes() throws {
    let scratch = try Scratch()
    func make(_ name: String) throws -> [UInt8] {
      let file = try HDF5File.create(scratch.path(name))
      try file.setAttribute("made_by", to: .string("apus"))
      let group = try file.createGroup(named: "train")
      let dataset = try group.createDataset(
        named: "x", type: .float32, shape: [1000, 4], filters: Filters(deflate: 4, shuffle: true, fletcher32: true))
      try dataset.write((0..<4000).map { Float($0) })
      try file.close()
      return try bytes(of: scratch.path(name))
    }
    let first = try make("a.h5")
    // Times in a file are in seconds.
    sleep(1)
    #expect(try make("b.h5") == first)
  }

  @Test func groupsAndNames() throws {
    let scratch = try Scratch()
    let path = scratch.path("x.h5")
    let file = try HDF5File.create(path)
    let train = try file.createGroup(named: "train")
    _ = try train.createGroup(named: "inner")
    let dataset = try file.createDataset(named: "/train/features", type: .int64, shape: [2])
    #expect(dataset.path == "/train/features")
    try dataset.write([1, 2])
    try file.createDataset(named: "classes", strings: ["no", "yes"])
    try file.close()

    let again = try HDF5File.open(path)
    #expect(
      try again.names() == [HDF5Member(name: "classes", kind: .dataset), HDF5Member(name: "train", kind: .group)])
    #expect(try again.names(of: "train").map(\.name) == ["features", "inner"])
    let group = try again.group(named: "train")
    #expect(try group.names().map(\.kind) == [.dataset, .group])
    #expect(try group.dataset(named: "features").values(as: Int.self) == [1, 2])
    #expect(try again.dataset(named: "/train/features").values(as: Int.self) == [1, 2])
    #expect(try again.dataset(named: "train/features").values(as: Int.self) == [1, 2])
  }

  @Test(arguments: [true, false])
  func text(variableLength: Bool) throws {
    let scratch = try Scratch()
    let path = scratch.path("x.h5")
    let names = ["setosa", "", "Blässhuhn", "a longer name"]
    let file = try HDF5File.create(path)
    try file.createDataset(named: "classes", strings: names, variableLength: variableLength)
    try file.createDataset(named: "none", strings: [], variableLength: variableLength)
    try file.createDataset(named: "empty", strings: [""], variableLength: variableLength)
    try file.close()
    let again = try HDF5File.open(path)
    let dataset = try again.dataset(named: "classes")
    #expect(dataset.elementType == .string)
    #expect(try dataset.strings() == names)
    #expect(try again.dataset(named: "none").strings() == [])
    #expect(try again.dataset(named: "empty").strings() == [""])
    #expect(try failure { _ = try again.dataset(named: "classes").rows(0..<1, as: Float.self) }.kind == .typeMismatch)
    #expect(
      try failure { _ = try again.dataset(named: "classes").converted(0..<1, to: Float.self) }.kind == .typeMismatch)
  }

  @Test func attributes() throws {
    let scratch = try Scratch()
    let path = scratch.path("x.h5")
    let values: [(String, HDF5Attribute)] = [
      ("text", .string("größer")), ("no text", .string("")), ("texts", .strings(["a", "bcd"])), ("count", .integer(-7)),
      ("counts", .integers([1, .max])), ("rate", .number(0.1)), ("rates", .numbers([1, .infinity])),
    ]
    let file = try HDF5File.create(path)
    let group = try file.createGroup(named: "g")
    let dataset = try file.createDataset(named: "d", type: .uint8, shape: [1])
    for (name, value) in values {
      try file.setAttribute(name, to: .integer(0))
      try file.setAttribute(name, to: value)
      try group.setAttribute(name, to: value)
      try dataset.setAttribute(name, to: value)
    }
    try file.close()
    let again = try HDF5File.open(path)
    #expect(try again.attributeNames() == values.map(\.0).sorted())
    for (name, value) in values {
      #expect(try again.attribute(named: name) == value)
      #expect(try again.group(named: "g").attribute(named: name) == value)
      #expect(try again.dataset(named: "d").attribute(named: name) == value)
    }
    #expect(try again.attribute(named: "nothing") == nil)
  }
}
