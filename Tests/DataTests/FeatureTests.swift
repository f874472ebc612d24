import Files
import HDF5
import Kernels
import Testing

@testable import Data

/// Features of any type and shape, transformed and checked (B6 of the table of faults).
@Suite struct FeatureTests {
  private let scratch: Scratch
  init() throws { scratch = try Scratch() }

  private func dataset<Feature: HDF5Element>(_ features: [Feature], shape: [Int]) throws -> ShardedDataset {
    try describe([
      try writeShard(
        scratch.file("features.h5"), features: features, shape: shape, targets: [Int32](repeating: 0, count: shape[0]))
    ])
  }

  private func read(_ dataset: ShardedDataset, _ transform: FeatureTransform = .none) throws -> [[Float]] {
    let reader = try RowReader(dataset: dataset, targetUse: .none, transform: transform)
    return try reader.withRows(0..<dataset.rows) { features, view, _, _ in rowsOf(features, view) }
  }

  @Test func typesAreConvertedAndImagesFlattened() throws {
    #expect(try read(dataset([0, 128, 255, 3] as [UInt8], shape: [2, 2])) == [[0, 128], [255, 3]])
    #expect(try read(dataset([0.5, -1, 1e10, 2] as [Double], shape: [2, 2])) == [[0.5, -1], [1e10, 2]])
    #expect(try read(dataset([Int64.min, 5], shape: [2, 1])) == [[-0x1p63], [5]])
    let images = try dataset((0..<24).map { UInt8($0) }, shape: [2, 3, 2, 2])
    #expect(images.columns == 12 && images.rows == 2)
    #expect(try read(images) == [(0..<12).map { Float($0) }, (12..<24).map { Float($0) }])
    // Each row is a value.
    let flat = try dataset([1, 2, 3] as [Float], shape: [3])
    #expect(flat.columns == 1)
    #expect(try read(flat) == [[1], [2], [3]])
  }

  @Test func scaleAndNormalization() throws {
    let dataset = try dataset([0, 10, 255, 30] as [UInt8], shape: [2, 2])
    #expect(try read(dataset, FeatureTransform(scale: 0.5)) == [[0, 5], [127.5, 15]])
    let normalization = try Normalization(means: [127.5, 20], scales: [0.5, 10])
    #expect(try read(dataset, FeatureTransform(normalization: normalization)) == [[-255, -1], [255, 1]])
    #expect(try read(dataset, FeatureTransform(normalization: normalization, scale: 2)) == [[-510, -2], [510, 2]])
    let error = dataError {
      _ = try read(dataset, FeatureTransform(normalization: Normalization(means: [1], scales: [1])))
    }
    #expect(error.message == "the data set has 2 columns, the normalization to apply has 1")
  }

  @Test func largeMeansLoseNoDigits() throws {
    // At 1e7 a float counts in ones; a product before the difference would lose them.
    let dataset = try dataset([10_000_001, 9_999_999] as [Float], shape: [2, 1])
    let normalization = try Normalization(means: [1e7], scales: [3])
    #expect(try read(dataset, FeatureTransform(normalization: normalization)) == [[Float(1.0 / 3)], [-Float(1.0 / 3)]])
  }

  @Test func normalizationsThatCannotBe() {
    #expect(dataError { _ = try Normalization(means: [0], scales: [0]) }.message.contains("scale of column 0"))
    #expect(
      dataError { _ = try Normalization(means: [0, .nan], scales: [1, 1]) }.message.contains("mean of column 1"))
    #expect(dataError { _ = try Normalization(means: [0], scales: []) }.message.contains("1 means and 0 scales"))
  }

  @Test(arguments: [Float.nan, Float.infinity, -Float.infinity])
  func valuesThatAreNotFiniteAreNamed(value: Float) throws {
    var features = [Float](repeating: 1, count: 60)
    features[41] = value
    let data = try dataset(features, shape: [20, 3])
    let order = data.order(virtualRanks: 2, seed: 1, shuffle: true)
    let reader = try BatchReader(dataset: data, order: order, virtualRanks: 0..<2, targetUse: .none)
    #expect(try reader.rows(virtualRank: 0, epoch: 0, slots: 0..<10).features.count == 10)
    let error = dataError { _ = try reader.rows(virtualRank: 1, epoch: 0, slots: 0..<1) }
    #expect(error.kind == .invalid)
    #expect(error.message.hasPrefix("'\(scratch.file("features.h5"))', row 13, column 2: "))
    #expect(error.message.contains(value.isNaN ? "not a number (NaN)" : "infinite"))
  }

  @Test func numbersBeyondFloatAreNamed() throws {
    let error = dataError { _ = try read(dataset([1, 1e300] as [Double], shape: [1, 2])) }
    #expect(error.message.hasSuffix("row 0, column 1: 1e+300 is too large for a 32-bit float"))
  }

  @Test func aFlippedBitIsFoundByTheChecksum() throws {
    let path = try writeShard(
      scratch.file("bits.h5"), features: (0..<400).map { Float($0) }, shape: [200, 2],
      targets: [Int32](repeating: 0, count: 200), chunkRows: 50, filters: Filters(fletcher32: true))
    let dataset = try describe([path])
    let bytes = try FileSystem.read(path, limit: 1 << 20)
    // The third chunk begins with the float 200.
    let pattern: [UInt8] = [0x00, 0x00, 0x48, 0x43, 0x00, 0x00, 0x49, 0x43]
    let place = try #require((0..<bytes.count - 8).first { Array(bytes[$0..<$0 + 8]) == pattern })
    var flipped = bytes
    flipped[place + 5] ^= 0x10
    try FileSystem.write(flipped, to: path, atomically: false)
    let error = dataError { _ = try read(dataset) }
    #expect(error.kind == .invalid)
    #expect(error.message.contains("features") && error.message.contains(path), "\(error.message)")
  }

  @Test func aShardThatChangesWhileTheProgramRunsIsNoticed() throws {
    let data = try dataset([1, 2] as [Float], shape: [2, 1])
    _ = try dataset([1, 2, 3] as [Float], shape: [3, 1])
    #expect(
      dataError { _ = try read(data) }.message.hasSuffix("was changed by another program since the start of this one"))
  }
}
