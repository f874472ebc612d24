import Data
import Files
import Foundation
import Kernels
import Testing

@testable import Preparation

struct PreparerTests {
  private let digits = packageRoot + "/Datasets/digits/digits.csv"
  private let diabetes = packageRoot + "/Datasets/diabetes/diabetes.csv"

  /// The numbers of a CSV file without quotes, read the simple way.
  private func table(_ path: String) throws -> (header: [String], rows: [[Double]]) {
    let lines = try String(contentsOfFile: path, encoding: .utf8).split(whereSeparator: \.isNewline)
    let rows = lines.dropFirst().map { $0.split(separator: ",").map { Double($0) ?? .nan } }
    return (lines[0].split(separator: ",").map { String($0) }, rows)
  }

  @Test func preparesDigits() throws {
    let directory = try TemporaryDirectory()
    var request = PreparationRequest(inputs: [digits], target: "digit", output: directory.join("digits"))
    request.shards = 3
    request.compress = true
    request.fractions = SplitFractions(validation: 0.1, test: 0.2)
    let summary = try Preparer(request).run()
    #expect(summary.rows == 1_797)
    #expect(summary.droppedRows == 0)
    #expect(summary.columns == 64)
    #expect(summary.classes == (0...9).map { "\($0)" })
    #expect(
      summary.decision
        == "classification: 10 different whole numbers in 1797 rows; --task regression predicts the number instead")
    #expect(summary.splits.map(\.name) == [.train, .validation, .test])
    #expect(summary.splits.map(\.rows).reduce(0, +) == 1_797)
    #expect(summary.splits[0].shards == (0..<3).map { "train-0000\($0)-of-00003.h5" })
    #expect(summary.splits[2].shards == ["test-00000-of-00001.h5"])
    // Every class is cut by largest remainder.
    let labels = try table(digits).rows.map { Int($0[64]) }
    for label in 0..<10 {
      let shares = Split.shares(of: labels.filter { $0 == label }.count, fractions: request.fractions)
      for split in summary.splits { #expect(split.rowsPerClass[label] == shares[split.name]) }
    }
    #expect(summary.bytesRead == 267_156)
    let files = try FileSystem.list(summary.output)
    #expect(files == (["dataset.json"] + summary.splits.flatMap(\.shards)).sorted())
    let manifest = try DatasetManifest.read(FileSystem.join(summary.output, "dataset.json"))
    #expect(manifest.name == "digits")
    #expect(manifest.columns == Array(try table(digits).header.dropLast()))
    #expect(manifest.target == .classification(name: "digit", classes: (0...9).map { "\($0)" }))
    #expect(manifest.transformations.isEmpty)
    #expect(manifest.seed == 1)
    #expect(manifest.splits.map(\.rows) == summary.splits.map(\.rows))
  }

  @Test func takesTheProgressionOfDiabetesForAQuantityAndStandardizesOnTheTrainingRows() throws {
    let directory = try TemporaryDirectory()
    var request = PreparationRequest(inputs: [diabetes], target: "progression", output: directory.join("diabetes"))
    request.standardize = true
    let summary = try Preparer(request).run()
    #expect(summary.classes == nil)
    #expect(summary.decision.hasPrefix("regression: 214 different whole numbers in 442 rows; --task classification"))
    #expect(summary.splits.map(\.rows) == [354, 88])
    let manifest = try DatasetManifest.read(FileSystem.join(summary.output, "dataset.json"))
    #expect(manifest.target == .regression(name: "progression", outputs: 1))
    // The training rows again, by the split's own rule, and their moments by two passes.
    let rows = try table(diabetes).rows
    var split = Split(strata: [rows.count], fractions: request.fractions, seed: request.seed)
    let training = rows.filter { _ in split.next(stratum: 0) == .train }
    #expect(training.count == 354)
    let normalization = try #require(manifest.normalization)
    #expect(!manifest.isNormalized)
    for column in 0..<10 {
      let values = training.map { Double(Float($0[column])) }
      let mean = values.reduce(0, +) / Double(values.count)
      let variance = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(values.count)
      #expect(abs(normalization.means[column] / mean - 1) < 1e-12)
      #expect(abs(normalization.scales[column] / variance.squareRoot() - 1) < 1e-12)
    }
  }

  /// Every row of every split, read back through the shards, is the row of the table that belongs there.
  @Test func readersGetTheRowsOfTheTable() throws {
    let directory = try TemporaryDirectory()
    var request = PreparationRequest(inputs: [diabetes], target: "progression", output: directory.join("out"))
    request.fractions = SplitFractions(validation: 0.25, test: 0.125)
    request.shards = 5
    request.compress = true
    let summary = try Preparer(request).run()
    #expect(summary.splits.map(\.shards.count) == [5, 2, 1])
    let rows = try table(diabetes).rows
    var split = Split(strata: [rows.count], fractions: request.fractions, seed: request.seed)
    let names = rows.map { _ in split.next(stratum: 0) }
    for name in SplitName.allCases {
      let expected = zip(rows, names).filter { $0.1 == name }.map { $0.0.map { Float($0) } }
      let source = try DataSource(path: request.output, split: name.rawValue).resolve()
      let shards = try source.paths.map {
        try ShardDescription.describe(path: $0, features: source.features, targets: source.targets, scanLabels: true)
      }
      let dataset = try ShardedDataset(descriptions: shards, source: source)
      let reader = try RowReader(dataset: dataset, targetUse: .values(outputs: 1))
      var features = FloatBuffer(count: dataset.rows * 10)
      var targets = FloatBuffer(count: dataset.rows)
      try reader.read(rows: 0..<dataset.rows, features: &features, targets: &targets)
      #expect(features.values() == expected.flatMap { $0[..<10] })
      #expect(targets.values() == expected.map { $0[10] })
    }
  }

  @Test func preparesTheSameBytesTwice() throws {
    let directory = try TemporaryDirectory()
    var manifests: [[UInt8]] = []
    for name in ["a", "b"] {
      var request = PreparationRequest(inputs: [diabetes], target: "progression", output: directory.join(name))
      request.standardize = true
      let summary = try Preparer(request).run()
      for file in try FileSystem.list(summary.output) {
        manifests.append(try FileSystem.read(FileSystem.join(summary.output, file), limit: 1 << 24))
      }
    }
    #expect(manifests.count == 6)
    #expect(Array(manifests[..<3]) == Array(manifests[3...]))
  }

  @Test func dropsRowsWithMissingValuesWhenAsked() throws {
    let directory = try TemporaryDirectory()
    let rows = (0..<40).map { "\($0),\($0 * 2),\($0 % 2 == 0 ? "cat" : "dog")" }
    let input = try directory.file(
      "in.csv", "x,y,kind\n,1,cat\n1,NA,dog\n" + rows.joined(separator: "\n") + "\n1,2,\nnan,,dog\n")
    var request = PreparationRequest(inputs: [input], target: "kind", output: directory.join("out"))
    request.missing = .drop
    var phases: [PreparationProgress] = []
    let summary = try Preparer(request).run { phases.append($0) }
    #expect(summary.rows == 40)
    #expect(summary.droppedRows == 4)
    #expect(
      summary.missing == [
        PreparationSummary.MissingColumn(column: "x", rows: 2), PreparationSummary.MissingColumn(column: "y", rows: 1),
        PreparationSummary.MissingColumn(column: "kind", rows: 1),
      ])
    #expect(summary.classes == ["cat", "dog"])
    #expect(summary.splits.map(\.rowsPerClass) == [[16, 16], [4, 4]])
    // One block of text is read, and all shards are written in one passage over its rows.
    #expect(phases.map(\.phase) == [.checking, .writing])
    #expect(phases.first?.rows == 44 && phases.last?.rows == 40)
    for last in [phases.first, phases.last] { #expect(last?.bytes == last?.totalBytes) }
  }

  @Test func readsManyFilesAsOne() throws {
    let directory = try TemporaryDirectory()
    let one = try directory.file("1.csv", "x,y,t\n1,2,0.5\n3,4,1.5\n")
    let two = try directory.file("2.csv", "t;y;x\r\n2.5;6;5\r\n3.5;8;7\r\n")
    var request = PreparationRequest(inputs: [one, two], target: "t", output: directory.join("out"))
    request.fractions.test = 0
    let summary = try Preparer(request).run()
    #expect(summary.rows == 4)
    #expect(summary.splits.map(\.name) == [.train])
  }

  /// What h5py reads is the table, row for row: nothing lost, doubled or changed.
  @Test(.enabled(if: Python.path != nil, "no Python with h5py"), arguments: [1, 4, 7], [false, true])
  func h5pyReadsTheWholeTable(shards: Int, compress: Bool) throws {
    let directory = try TemporaryDirectory()
    var request = PreparationRequest(inputs: [digits], target: "digit", output: directory.join("out"))
    request.fractions = SplitFractions(validation: 0.13, test: 0.2)
    request.shards = shards
    request.compress = compress
    _ = try Preparer(request).run()
    let script = """
      import sys, json, numpy as np, h5py
      table = np.loadtxt(sys.argv[1], delimiter=",", skiprows=1, dtype=np.float32)
      manifest = json.load(open(sys.argv[2] + "/dataset.json"))
      shards = int(sys.argv[3])
      found, count = [], {}
      for name, split in manifest["splits"].items():
          parts = []
          for shard in split["shards"]:
              with h5py.File(sys.argv[2] + "/" + shard["file"]) as file:
                  features, targets = file["features"], file["targets"]
                  assert features.dtype == "<f4" and targets.dtype == "<i4", (features.dtype, targets.dtype)
                  assert features.fletcher32 and features.chunks, features.chunks
                  assert (features.compression == "gzip") == (sys.argv[4] == "true"), features.compression
                  assert features.shape == (shard["rows"], 64) and targets.shape == (shard["rows"],)
                  parts.append(np.hstack([features[:], targets[:].reshape(-1, 1)]))
          sizes = [len(part) for part in parts]
          assert max(sizes) - min(sizes) <= 1, sizes
          count[name] = len(parts)
          rows = np.vstack(parts)
          # In the order of the table.
          places, at = [], 0
          for row in rows:
              while not np.array_equal(table[at], row): at += 1
              places.append(at); at += 1
          found += places
      assert sorted(found) == list(range(len(table))), len(found)
      assert count["train"] == shards, count
      print("the same")
      """
    let output = try Python.run(script, with: [digits, directory.join("out"), "\(shards)", "\(compress)"])
    #expect(output == "the same\n")
  }
}
