import Files
import HDF5
import Testing

@testable import Data

@Suite struct ShardDescriptionTests {
  private let scratch: Scratch
  init() throws { scratch = try Scratch() }

  private func attempt(_ path: String, features: String = "features", targets: String? = "targets") -> ShardDescription
  {
    ShardDescription.attempt(path: path, features: features, targets: targets, scanLabels: true)
  }

  @Test func saysWhatAShardHolds() throws {
    let path = try writeShard(
      scratch.file("a.h5"), features: [UInt8](repeating: 1, count: 120), shape: [10, 3, 4],
      targets: (0..<10).map { Int64($0 % 4) }, chunkRows: 4)
    let shard = attempt(path)
    #expect(shard.failure == nil)
    #expect(shard.rows == 10 && shard.columns == 12 && shard.featureType == .uint8 && shard.featureShape == [10, 3, 4])
    #expect(shard.chunkRows == 4 && shard.targetType == .int64 && shard.targetShape == [10] && shard.targetColumns == 1)
    #expect(shard.labels?.minimum == 0 && shard.labels?.maximum == 3 && shard.labels?.firstOdd == nil)
    let alone = attempt(path, targets: nil)
    #expect(alone.targetColumns == 0 && alone.targetType == nil)
  }

  @Test func travelsAsBytes() throws {
    let good = attempt(try writeNumberedShard(scratch.file("a.h5"), firstRow: 0, rows: 7))
    let odd = attempt(
      try writeShard(scratch.file("o.h5"), features: [1] as [Float], shape: [1, 1], targets: [-0.5] as [Double]))
    let bad = attempt(scratch.file("none.h5"))
    #expect(odd.labels?.firstOdd != nil && bad.failure != nil)
    for shard in [good, odd, bad] { #expect(try ShardDescription(decoding: shard.encoded()) == shard) }
    let bytes = ShardDescription.encode([good, odd, bad])
    #expect(try ShardDescription.decode(bytes) == [good, odd, bad])
    for length in 0..<bytes.count {
      #expect(throws: DataError.self) { try ShardDescription.decode(Array(bytes[..<length])) }
    }
    let error = DataError(.permission, "a\nb", hint: "c")
    #expect(try DataError(decoding: error.encoded()) == error)
  }

  @Test func wrongNamesListWhatIsThere() throws {
    let path = try writeShard(
      scratch.file("names.h5"), features: [1, 2] as [Float], shape: [2, 1], targets: [0, 1] as [Int32],
      names: ("images", "labels"))
    let error = try #require(attempt(path, features: "image", targets: "labels").failure)
    #expect(error.kind == .invalid)
    #expect(
      error.message
        == "'\(path)' has no data set 'image' for the features; it has:\n  images  float32 (2 x 1)\n  labels  int32 (2)"
    )
    #expect(error.hint == "did you mean 'images'?")
    let targets = try #require(attempt(path, features: "images", targets: "y").failure)
    #expect(targets.message.contains("no data set 'y' for the targets") && targets.hint == nil)
  }

  @Test func dataSetsInGroupsAreFoundAndListed() throws {
    let path = scratch.file("groups.h5")
    let file = try HDF5File.create(path)
    _ = try file.createGroup(named: "train")
    try file.createDataset(named: "train/x", type: .float32, shape: [2, 3]).write([Float](repeating: 1, count: 6))
    try file.createDataset(named: "train/y", type: .int32, shape: [2]).write([1, 0] as [Int32])
    try file.close()
    #expect(attempt(path, features: "train/x", targets: "/train/y").failure == nil)
    let error = try #require(attempt(path).failure)
    #expect(error.message.contains("\n  train/x  float32 (2 x 3)"), "\(error.message)")
    #expect(attempt(path, features: "train").failure?.kind == .invalid)
  }

  @Test func filesThatAreNoShards() throws {
    let missing = try #require(attempt(scratch.file("none.h5")).failure)
    #expect(missing.kind == .missing && missing.message.contains("none.h5"))
    #expect(attempt(scratch.path).failure?.kind == .missing)
    let html = try #require(attempt(try scratch.write("<html><body>404", to: "page.h5")).failure)
    #expect(html.kind == .invalid && html.message.contains("<html>"), "\(html.message)")
    #expect(attempt(try scratch.write("", to: "empty.h5")).failure?.kind == .invalid)
  }

  @Test func aTruncatedShardIsRefusedWithBothSizes() throws {
    let path = try writeNumberedShard(scratch.file("cut.h5"), firstRow: 0, rows: 1_000)
    let bytes = try FileSystem.read(path, limit: 1 << 20)
    try FileSystem.write(Array(bytes[..<(bytes.count - 1_000)]), to: path, atomically: false)
    let error = try #require(attempt(path).failure)
    #expect(error.kind == .invalid)
    let digits = error.message.filter { $0.isNumber || $0 == " " }
    #expect(digits.contains(String(bytes.count)) && digits.contains(String(bytes.count - 1_000)), "\(error.message)")
  }

  @Test func shapesAndTypesThatAreNoData() throws {
    let rows = try #require(
      attempt(
        try writeShard(
          scratch.file("rows.h5"), features: [1, 2, 3] as [Float], shape: [3, 1], targets: [0, 1] as [Int32],
          targetShape: [2])
      ).failure)
    #expect(rows.message.hasSuffix("has 3 rows of features ('features') and 2 of targets ('targets')"))
    let wide = try #require(
      attempt(
        try writeShard(
          scratch.file("zero.h5"), features: [] as [Float], shape: [3, 0], targets: [0, 1, 1] as [Int32])
      ).failure)
    #expect(wide.message.contains("have the shape (3 x 0); wanted is (rows, columns)"))

    let path = scratch.file("text.h5")
    let file = try HDF5File.create(path)
    try file.createDataset(named: "features", type: .float32, shape: [2, 1]).write([1, 2] as [Float])
    try file.createDataset(named: "targets", strings: ["cat", "dog"])
    try file.createDataset(named: "single", type: .float32, shape: []).write([1] as [Float])
    try file.close()
    let text = try #require(attempt(path).failure)
    #expect(text.message.contains("are string; wanted are numbers") && text.hint != nil)
    #expect(attempt(path, features: "single").failure?.kind == .invalid)
    #expect(attempt(path, features: "targets").failure?.message.contains("are string") == true)
  }

  @Test func targetsThatAreNotFiniteAreFoundByTheScan() throws {
    let error = try #require(
      attempt(
        try writeShard(
          scratch.file("nan.h5"), features: [1, 2] as [Float], shape: [2, 1], targets: [0, Float.infinity])
      ).failure)
    #expect(error.message.contains("row 1, targets 'targets': infinite"))
  }
}

@Suite struct ShardedDatasetTests {
  private let scratch: Scratch
  init() throws { scratch = try Scratch() }

  @Test func shardsThatDisagreeGiveATable() throws {
    let paths = [
      try writeNumberedShard(scratch.file("a.h5"), firstRow: 0, rows: 4),
      try writeNumberedShard(scratch.file("b.h5"), firstRow: 0, rows: 2, columns: 5),
      try writeNumberedShard(scratch.file("c.h5"), firstRow: 0, rows: 1_200),
      try writeShard(scratch.file("d.h5"), features: [1, 2, 3] as [Double], shape: [1, 3], targets: [1] as [Float]),
    ]
    let error = dataError {
      _ = try ShardedDataset(
        descriptions: paths.map {
          ShardDescription.attempt(path: $0, features: "features", targets: "targets", scanLabels: false)
        }, describedBy: [0, 1, 2, 0])
    }
    #expect(error.kind == .invalid)
    // The column of the files is as wide as this machine's paths.
    let lines = error.message.replacing(scratch.path + "/", with: "").split(separator: "\n").map {
      $0.replacing(/file +rows/, with: "file   rows")
    }
    #expect(
      lines == [
        "the shards disagree (columns, type of the features, type of the targets)",
        "rank  file   rows  columns  features  targets",
        "   0  a.h5      4        3  float32   int32",
        "   1  b.h5      2        5  float32   int32    <- differs",
        "   2  c.h5  1,200        3  float32   int32",
        "   0  d.h5      1        3  float64   float32  <- differs",
      ])
  }

  @Test func shardsWithoutRowsAgreeWithAll() throws {
    let dataset = try describe([
      try writeShard(scratch.file("a.h5"), features: [] as [Double], shape: [0], targets: [] as [Double]),
      try writeNumberedShard(scratch.file("b.h5"), firstRow: 0, rows: 4),
    ])
    #expect(dataset.rows == 4 && dataset.columns == 3 && dataset.firstRows == [0, 0, 4])
    #expect(dataset.place(ofRow: 0) == (shard: 1, row: 0))
    let reader = try RowReader(dataset: dataset, targetUse: .classIndex(classes: 5))
    #expect(try reader.withRows(0..<4) { features, view, _, _ in rowsOf(features, view).count } == 4)
  }

  @Test func failuresOfShardsBecomeOneError() throws {
    let good = try writeNumberedShard(scratch.file("a.h5"), firstRow: 0, rows: 4)
    let one = dataError { _ = try describe([good, scratch.file("x.h5")]) }
    #expect(one.kind == .missing && !one.message.contains("\n"))
    let two = dataError { _ = try describe([scratch.file("x.h5"), good, scratch.file("y.h5")]) }
    #expect(
      two.kind == .missing && two.message.contains("\n2 of 3 shards cannot be used\n") && two.message.contains("y.h5"))
    let names = dataError {
      _ = try describe([
        good,
        try writeShard(
          scratch.file("b.h5"), features: [1] as [Float], shape: [1, 1], targets: [0] as [Int32], names: ("x", "y")),
      ])
    }
    let lines = names.message.replacing(scratch.path + "/", with: "").split(separator: "\n").map {
      $0.replacing(/(file|5) +/) { "\($0.1) " }
    }
    #expect(
      lines == [
        "'b.h5' has no data set 'features' for the features; it has:", "  x  float32 (1 x 1)", "  y  int32 (1)",
        "1 of 2 shards cannot be used", "file", "a.h5 4 rows, 3 columns",
        "b.h5 <- has no data set 'features' for the features",
      ])
    #expect(dataError { _ = try describe([]) }.kind == .missing)
  }

  @Test func rowsOutOfStepWithTheManifest() throws {
    try writeNumberedShard(scratch.file("train-00000-of-00001.h5"), firstRow: 0, rows: 4)
    let manifest = DatasetManifest(
      name: "n", columns: ["a", "b", "c"], target: .classification(name: "t", classes: ["x", "y", "z", "u", "v"]),
      splits: [.init(name: "train", shards: [.init(file: "train-00000-of-00001.h5", rows: 5)])])
    try manifest.write(toDirectory: scratch.path)
    let source = try DataSource(path: scratch.path).resolve()
    let descriptions = source.paths.map {
      ShardDescription.attempt(path: $0, features: source.features, targets: source.targets, scanLabels: false)
    }
    let error = dataError { _ = try ShardedDataset(descriptions: descriptions, source: source) }
    #expect(error.kind == .invalid && error.message.hasSuffix("has 4 rows, dataset.json says 5"))
  }
}
