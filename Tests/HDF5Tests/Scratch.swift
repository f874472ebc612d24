import Foundation
import HDF5
import Testing

/// A folder for one test, removed with it.
final class Scratch {
  let folder: String

  init() throws {
    folder = FileManager.default.temporaryDirectory.appendingPathComponent("apus-hdf5-\(UUID().uuidString)").path
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: folder) }

  func path(_ name: String) -> String { folder + "/" + name }

  func write(_ bytes: some Sequence<UInt8>, to name: String) throws -> String {
    try Data(bytes).write(to: URL(fileURLWithPath: path(name)))
    return path(name)
  }
}

func bytes(of path: String) throws -> [UInt8] { [UInt8](try Data(contentsOf: URL(fileURLWithPath: path))) }

/// The error that `body` throws.
func failure(_ body: () throws -> Void, _ location: SourceLocation = #_sourceLocation) throws -> HDF5Error {
  let error = try #require(throws: HDF5Error.self, sourceLocation: location) { try body() }
  return error
}

/// The error of opening the data set `name`.
func failureOpening(
  _ path: String, _ name: String = "features", _ location: SourceLocation = #_sourceLocation
) throws -> HDF5Error {
  try failure({ _ = try HDF5File.open(path).dataset(named: name) }, location)
}

extension HDF5Dataset {
  func rows<Element: HDF5Element>(_ rows: Range<Int>, as type: Element.Type = Element.self) throws -> [Element] {
    var values = [Element](repeating: Element(), count: rows.count * shape.dropFirst().reduce(1, *))
    var span = values.mutableSpan
    try read(rows: rows, into: &span)
    return values
  }

  func converted<Element: HDF5Element>(
    _ rows: Range<Int>, to type: Element.Type = Element.self
  ) throws -> [Element] {
    var values = [Element](repeating: Element(), count: rows.count * shape.dropFirst().reduce(1, *))
    var span = values.mutableSpan
    try readConverting(rows: rows, into: &span)
    return values
  }
}

/// Writes a file with one data set.
func writeFile<Element: HDF5Element>(
  _ path: String, _ values: [Element], shape: [Int], chunk: [Int]? = nil, filters: Filters = .none
) throws {
  let file = try HDF5File.create(path)
  let dataset = try file.createDataset(
    named: "features", type: Element.elementType, shape: shape, chunk: chunk, filters: filters)
  try dataset.write(values)
  try file.close()
}
