import Foundation
import HDF5
import Kernels
import Testing

@testable import Data

/// A directory of its own for one test, removed afterwards.
final class Scratch {
  let path: String

  init() throws {
    path = NSTemporaryDirectory() + "apus-data-" + UUID().uuidString
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  func file(_ name: String) -> String { path + "/" + name }

  @discardableResult
  func write(_ text: String, to name: String) throws -> String {
    try text.write(toFile: file(name), atomically: false, encoding: .utf8)
    return file(name)
  }

  var names: [String] { ((try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []).sorted() }
}

/// Writes an HDF5 file with two data sets of any type.
@discardableResult
func writeShard<Feature: HDF5Element, Target: HDF5Element>(
  _ path: String, features: [Feature], shape: [Int], targets: [Target], targetShape: [Int]? = nil,
  chunkRows: Int? = nil,
  names: (features: String, targets: String) = ("features", "targets"), filters: Filters = .none
) throws -> String {
  let file = try HDF5File.create(path)
  let chunk = chunkRows.map { [$0] + shape.dropFirst() }
  try file.createDataset(
    named: names.features, type: Feature.elementType, shape: shape, chunk: chunk, filters: filters
  ).write(features)
  try file.createDataset(
    named: names.targets, type: Target.elementType, shape: targetShape ?? [shape[0]],
    chunk: chunkRows.map { [$0] + (targetShape ?? []).dropFirst() }, filters: filters
  ).write(targets)
  try file.close()
  return path
}

/// A shard whose row r (counted over all shards from `firstRow`) has the features r, r + 0.25, r + 0.5, ... and the target
/// `r % classes`.
@discardableResult
func writeNumberedShard(
  _ path: String, firstRow: Int, rows: Int, columns: Int = 3, classes: Int = 5, chunkRows: Int? = nil
) throws -> String {
  let features = (0..<rows * columns).map { Float(firstRow + $0 / columns) + 0.25 * Float($0 % columns) }
  let targets = (0..<rows).map { Int32((firstRow + $0) % classes) }
  return try writeShard(
    path, features: features, shape: [rows, columns], targets: targets, chunkRows: rows == 0 ? nil : chunkRows)
}

func describe(_ paths: [String], scanLabels: Bool = false) throws -> ShardedDataset {
  try ShardedDataset(
    descriptions: paths.map {
      ShardDescription.attempt(path: $0, features: "features", targets: "targets", scanLabels: scanLabels)
    })
}

/// Numbered rows in shards of these sizes.
func numberedDataset(
  _ scratch: Scratch, rows: [Int], columns: Int = 3, classes: Int = 5, chunkRows: Int? = nil
) throws -> ShardedDataset {
  var first = 0
  var paths: [String] = []
  for (index, count) in rows.enumerated() {
    let path = scratch.file("shard-\(index).h5")
    paths.append(
      try writeNumberedShard(
        path, firstRow: first, rows: count, columns: columns, classes: classes, chunkRows: chunkRows))
    first += count
  }
  return try describe(paths)
}

/// The message of the `DataError` that `body` throws.
func dataError(_ body: () throws -> Void, sourceLocation: SourceLocation = #_sourceLocation) -> DataError {
  do {
    try body()
  } catch let error as DataError {
    return error
  } catch {
    Issue.record("threw \(error), no DataError", sourceLocation: sourceLocation)
    return DataError(.usage, "")
  }
  Issue.record("threw nothing", sourceLocation: sourceLocation)
  return DataError(.usage, "")
}

extension BatchReader {
  /// The rows of a batch as features and targets.
  func rows(virtualRank v: Int, epoch: Int, slots: Range<Int>) throws -> (features: [[Float]], targets: [Float]) {
    let width = targetUse.floatsPerRow
    return try withBatch(virtualRank: v, epoch: epoch, slots: slots) { features, view, targets, offset in
      (rowsOf(features, view), targets.values(in: offset..<offset + view.rows * width))
    }
  }
}

func rowsOf(_ features: borrowing FloatBuffer, _ view: MatrixView) -> [[Float]] {
  var rows: [[Float]] = []
  for row in 0..<view.rows {
    let start = view.offset + row * view.rowStride
    rows.append(features.values(in: start..<start + view.columns))
  }
  return rows
}
