import HDF5
import Kernels
import Testing

@testable import Data

/// Targets as a training wants them, from whatever they are stored as (B8 of the table of faults).
@Suite struct TargetTests {
  private let scratch: Scratch
  init() throws { scratch = try Scratch() }

  private func dataset<Target: HDF5Element>(_ targets: [Target], shape: [Int]? = nil) throws -> ShardedDataset {
    let rows = shape?[0] ?? targets.count
    let path = try writeShard(
      scratch.file("targets.h5"), features: (0..<rows).map { Float($0) }, shape: [rows, 1], targets: targets,
      targetShape: shape)
    return try describe([path], scanLabels: true)
  }

  private func read(_ dataset: ShardedDataset, _ use: TargetUse) throws -> [Float] {
    let reader = try RowReader(dataset: dataset, targetUse: use)
    return try reader.withRows(0..<dataset.rows) { _, view, targets, offset in
      targets.values(in: offset..<offset + view.rows * use.floatsPerRow)
    }
  }

  @Test func labelsOfAnyTypeAndShape() throws {
    #expect(try read(dataset([2, 0, 1] as [Int32]), .classIndex(classes: 3)) == [2, 0, 1])
    #expect(try read(dataset([2, 0, 1] as [Int64]), .classIndex(classes: 3)) == [2, 0, 1])
    #expect(try read(dataset([2, 0, 1] as [UInt8], shape: [3, 1]), .classIndex(classes: 3)) == [2, 0, 1])
    #expect(try read(dataset([2, 0, 1] as [Float]), .classIndex(classes: 3)) == [2, 0, 1])
    #expect(try read(dataset([2, 0, 1] as [Double], shape: [3, 1]), .classIndex(classes: 3)) == [2, 0, 1])
  }

  @Test func oneHotTargetsBecomeIndices() throws {
    let oneHot: [UInt8] = [0, 0, 1, 1, 0, 0, 0, 1, 0, 0, 0, 1]
    let dataset = try dataset(oneHot, shape: [4, 3])
    #expect(try dataset.classes() == 3)
    #expect(try read(dataset, .classIndex(classes: 3)) == [2, 0, 1, 2])
  }

  @Test func valuesAndBinaryTargets() throws {
    #expect(try read(dataset([0.5, -2, 3e7] as [Double]), .values(outputs: 1)) == [0.5, -2, 3e7])
    #expect(try read(dataset([1, 2, 3, 4] as [Int16], shape: [2, 2]), .values(outputs: 2)) == [1, 2, 3, 4])
    #expect(try read(dataset([0, 1, 1] as [Int8]), .binary(outputs: 1)) == [0, 1, 1])
    #expect(try read(dataset([0, 1, 1, 0] as [Float], shape: [2, 2]), .binary(outputs: 2)) == [0, 1, 1, 0])
    #expect(try read(dataset([7, 8] as [Float]), .none) == [])
  }

  @Test func aLabelOutOfRangeIsNamed() throws {
    let error = dataError { _ = try read(dataset([0, 1, 7, 1] as [Int64]), .classIndex(classes: 3)) }
    #expect(error.kind == .invalid)
    #expect(
      error.message
        == "'\(scratch.file("targets.h5"))', row 2: the label is 7; allowed is a whole number from 0 to 2")
  }

  @Test func labelsThatCountFromOneGetAHint() throws {
    let error = dataError { _ = try read(dataset([1, 2, 3] as [Int32]), .classIndex(classes: 3)) }
    #expect(error.message.hasSuffix("row 2: the label is 3; allowed is a whole number from 0 to 2"))
    #expect(error.hint == "labels count from 0")
  }

  @Test func negativeFractionalAndMissingLabels() throws {
    var error = dataError { _ = try read(dataset([0, -1] as [Int32]), .classIndex(classes: 3)) }
    #expect(error.message.hasSuffix("row 1: the label is -1; allowed is a whole number from 0 to 2"))
    error = dataError { _ = try read(dataset([0, 1, 0.5] as [Double]), .classIndex(classes: 3)) }
    #expect(error.message.hasSuffix("row 2: the label is 0.5; allowed is a whole number from 0 to 2"))
    error = dataError {
      let dataset = try ShardedDataset(descriptions: [
        ShardDescription.describe(
          path: writeShard(
            scratch.file("n.h5"), features: [1, 2] as [Float], shape: [2, 1], targets: [0, Float.nan]),
          features: "features", targets: "targets", scanLabels: false)
      ])
      _ = try read(dataset, .classIndex(classes: 3))
    }
    #expect(error.message.hasSuffix("row 1, the target: not a number (NaN) where a finite number is wanted"))
  }

  @Test func binaryTargetsAreZeroOrOne() throws {
    let error = dataError { _ = try read(dataset([1, -1, 1] as [Int32]), .binary(outputs: 1)) }
    #expect(error.message.hasSuffix("row 1: the label is -1; allowed is 0 or 1"))
    #expect(error.hint == "labels of two classes are 0 and 1, not -1 and 1")
  }

  @Test func rowsThatAreNotOneHotAreNamed() throws {
    for (row, text) in [
      ([0, 0, 0], "0, 0, 0"), ([1, 0, 1], "1, 0, 1"), ([0, 0.5, 0.5], "0, 0.5, 0.5"), ([0, 2, 0], "0, 2, 0"),
    ] {
      let error = dataError {
        _ = try read(dataset([0, 0, 1] + row as [Double], shape: [2, 3]), .classIndex(classes: 3))
      }
      #expect(error.message.contains("row 1: the targets are (\(text)); allowed is a 1 for the class"))
    }
  }

  @Test func targetsOfTheWrongNumber() throws {
    let wide = try dataset([1, 2, 3, 4, 5, 6] as [Float], shape: [2, 3])
    for use in [TargetUse.values(outputs: 2), .binary(outputs: 1), .classIndex(classes: 4)] {
      let error = dataError { _ = try read(wide, use) }
      #expect(error.kind == .invalid && error.message.contains("have 3 values a row"))
    }
    let error = dataError { _ = try read(wide, .classIndex(classes: (1 << 24) + 1)) }
    #expect(error.kind == .usage)
  }

  @Test func classesAreCountedFromTheLabels() throws {
    #expect(try dataset([0, 4, 2] as [Int32]).classes() == 5)
    #expect(try dataset([0, 1] as [Float]).classes() == 2)
    #expect(try dataset([0, 1, 0, 0, 0, 1] as [Float], shape: [2, 3]).classes() == 3)
    var error = dataError { _ = try dataset([0, 3, -1, 2] as [Int32]).classes() }
    #expect(error.message.hasSuffix("row 2: the label is -1; allowed is a class index: 0, 1, 2, ..."))
    error = dataError { _ = try dataset([0, 0.25] as [Float]).classes() }
    #expect(error.message.contains("row 1: the label is 0.25"))
    error = dataError { _ = try dataset([0, Int64.max]).classes() }
    #expect(error.message.contains("labels are class indices below"))
  }
}
