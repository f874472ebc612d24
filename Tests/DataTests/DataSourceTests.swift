import Foundation
import JSON
import Testing

@testable import Data

private func manifest(
  splits: [String] = ["train", "validation", "test"], applied: Bool? = nil
) throws -> DatasetManifest {
  DatasetManifest(
    name: "digits", columns: ["a", "b", "c"], target: .classification(name: "digit", classes: ["zero", "one \"1\""]),
    transformations: try applied.map {
      [.standardize(try Normalization(means: [0.1, -2, 1e-300], scales: [1, 2.5, 3]), applied: $0)]
    } ?? [], seed: 7,
    splits: splits.map { split in
      .init(
        name: split,
        shards: (0..<2).map { .init(file: DatasetManifest.shardName(split: split, index: $0, of: 2), rows: 3 + $0) })
    })
}

@Suite struct DataSourceTests {
  private let scratch: Scratch
  init() throws { scratch = try Scratch() }

  @Test func aFileADirectoryAndAPattern() throws {
    for name in ["b.h5", "a.hdf5", "c.txt", ".d.h5"] { try scratch.write("", to: name) }
    let directory = try DataSource(path: scratch.path).resolve()
    #expect(directory.paths == [scratch.file("a.hdf5"), scratch.file("b.h5")])
    #expect(directory.features == "features" && directory.targets == "targets" && directory.split == nil)
    #expect(try DataSource(path: scratch.path + "/").resolve().paths.count == 2)
    let file = try DataSource(path: scratch.file("c.txt"), features: "x", targets: "y").resolve()
    #expect(file.paths == [scratch.file("c.txt")] && file.features == "x" && file.targets == "y")
    let pattern = try DataSource(path: scratch.file("*.h*")).resolve()
    #expect(pattern.paths == [scratch.file("a.hdf5"), scratch.file("b.h5")])
    #expect(dataError { _ = try DataSource(path: scratch.file("*.npy")).resolve() }.kind == .missing)
  }

  @Test func splitsByName() throws {
    try manifest().write(toDirectory: scratch.path)
    let train = try DataSource(path: scratch.path).resolve()
    #expect(train.split == "train")
    #expect(train.paths == [scratch.file("train-00000-of-00002.h5"), scratch.file("train-00001-of-00002.h5")])
    #expect(train.expectedRows == [3, 4])
    #expect(try DataSource(path: scratch.file("dataset.json"), split: "test").resolve().split == "test")
    #expect(try DataSource(path: scratch.path).resolve(defaultSplit: "validation").split == "validation")
    let error = dataError { _ = try DataSource(path: scratch.path, split: "tset").resolve() }
    #expect(error.kind == .usage)
    #expect(error.message.hasSuffix("has no split 'tset'; it has 'train', 'validation', 'test'"))
    #expect(error.hint == "did you mean 'test'?")
  }

  @Test func theOnlySplitNeedsNoName() throws {
    try manifest(splits: ["everything"]).write(toDirectory: scratch.path)
    #expect(try DataSource(path: scratch.path).resolve().split == "everything")
  }

  @Test func aSplitOfFilesWithoutDescriptionIsRefused() throws {
    try scratch.write("", to: "a.h5")
    let error = dataError { _ = try DataSource(path: scratch.path, split: "test").resolve() }
    #expect(error.kind == .usage && error.message.contains("there is none"))
  }

  @Test func whatIsMissingIsNamedWithWhatIsLikeIt() throws {
    try FileManager.default.createDirectory(atPath: scratch.file("digits/shards"), withIntermediateDirectories: true)
    try scratch.write("", to: "digits/shards/a.h5")
    var error = dataError { _ = try DataSource(path: scratch.file("digits/shard")).resolve() }
    #expect(error.kind == .missing && error.message == "'\(scratch.file("digits/shard"))' does not exist")
    #expect(error.hint == "did you mean '\(scratch.file("digits/shards"))'?")
    error = dataError { _ = try DataSource(path: scratch.file("digit/shards")).resolve() }
    #expect(error.message.hasSuffix("does not exist ('\(scratch.file("digit"))' neither)"))
    #expect(error.hint == "did you mean '\(scratch.file("digits"))'?")
    error = dataError { _ = try DataSource(path: scratch.file("digits")).resolve() }
    #expect(error.kind == .missing && error.message.contains("holds neither a dataset.json nor a file *.h5"))
    error = dataError { _ = try DataSource(path: scratch.file("digits/shards/a.h5/b.h5")).resolve() }
    #expect(error.kind == .missing)
    #expect(dataError { _ = try DataSource(path: "").resolve() }.kind == .usage)
  }

  @Test func travelsAsBytes() throws {
    try manifest(applied: false).write(toDirectory: scratch.path)
    let source = try DataSource(path: scratch.path, split: "test").resolve()
    #expect(try ResolvedSource(decoding: source.encoded()) == source)
    try scratch.write("", to: "a.h5")
    let plain = try DataSource(path: scratch.file("a.h5"), isTrusted: true).resolve()
    #expect(plain.isTrusted && !source.isTrusted)
    #expect(try ResolvedSource(decoding: plain.encoded()) == plain)
  }

  @Test func normalizationIsAppliedOnce() throws {
    let raw = ResolvedSource(
      paths: [], features: "x", targets: "y", split: "train", manifest: try manifest(applied: false))
    let done = ResolvedSource(
      paths: [], features: "x", targets: "y", split: "train", manifest: try manifest(applied: true))
    let foreign = ResolvedSource(paths: [], features: "x", targets: "y", split: nil, manifest: nil)
    let own = try #require(raw.manifest?.normalization)
    #expect(try raw.transform() == FeatureTransform(normalization: own))
    #expect(try done.transform(scale: 2) == FeatureTransform(scale: 2))
    #expect(try foreign.transform() == .none)
    // A model's normalization goes before that of the data.
    let other = try Normalization(means: [1, 2, 3], scales: [1, 1, 1])
    #expect(try raw.transform(model: other) == FeatureTransform(normalization: other))
    #expect(try raw.transform(model: .some(nil)) == .none)
    #expect(try foreign.transform(model: other) == FeatureTransform(normalization: other))
    #expect(try done.transform(model: own) == .none)
    #expect(dataError { _ = try done.transform(model: other) }.kind == .invalid)
    #expect(dataError { _ = try raw.transform(scale: 0) }.kind == .usage)
  }
}

@Suite struct DatasetManifestTests {
  @Test func survivesTheFile() throws {
    let scratch = try Scratch()
    for manifest in [try manifest(), try manifest(applied: true), regression, bare] {
      try manifest.write(toDirectory: scratch.path)
      #expect(try DatasetManifest.read(scratch.file("dataset.json")) == manifest)
    }
  }

  private var regression: DatasetManifest {
    DatasetManifest(
      name: "", columns: ["x"], features: "a/b", targets: "y", target: .regression(name: "price", outputs: 3),
      splits: [
        .init(name: "train", shards: [])
      ])
  }

  private var bare: DatasetManifest {
    DatasetManifest(
      name: "ü", columns: ["x"], target: nil, splits: [.init(name: "train", shards: [.init(file: "a", rows: 0)])])
  }

  /// The format is final: this text has to be read by every later version.
  @Test func theFormatStaysWhatItIs() throws {
    #expect(
      try manifest(splits: ["train"], applied: false).json.serialized(pretty: false).split(separator: "\n").joined()
        == text)
    #expect(try DatasetManifest(parsing: Array(text.utf8), path: "x") == manifest(splits: ["train"], applied: false))
  }

  private let text = """
    {"format":"apus-dataset","version":1,"name":"digits","features":{"dataset":"features","columns":["a","b","c"]},\
    "target":{"dataset":"targets","name":"digit","task":"classification","classes":["zero","one \\"1\\""]},\
    "transformations":[{"kind":"standardize","applied":false,"means":[0.1,-2.0,1e-300],"scales":[1.0,2.5,3.0]}],"seed":7,\
    "splits":{"train":{"rows":7,"shards":[{"file":"train-00000-of-00002.h5","rows":3},\
    {"file":"train-00001-of-00002.h5","rows":4}]}}}
    """

  @Test(arguments: [
    ("\"version\":1", "\"version\":2", "reads up to version 1"),
    ("apus-dataset", "parquet", "this is no description of an Apus data set"),
    ("standardize", "hashed", "a transformation of the kind \"hashed\", which this version does not know"),
    ("\"name\":\"digits\",", "", "line 1, column 1: \"name\" is missing"),
    ("\"rows\":3", "\"rows\":4", "\"rows\" is not 8"),
    ("\"rows\":3", "\"rows\":-3", "a shard with -3 rows"),
    ("\"rows\":3", "\"rows\":9223372036854775807", "a shard with 4 rows"),
    ("train-00000", "../train", "is not the name of a file in this directory"),
    ("train-00000", "/etc/passwd", "is not the name of a file in this directory"),
    ("[\"a\",\"b\",\"c\"]", "[\"a\",\"b\"]", "there are 2 columns and a normalization of 3"),
    ("[1.0,2.5,3.0]", "[1.0,0,3.0]", "scale of column 1"),
    ("[1.0,2.5,3.0]", "[1.0,\"x\",3.0]", "in \"scales\", wanted are numbers"),
    ("{\"train\"", "[{\"train\"", "line 1, column"),
  ])
  func damagedTextsAreRefused(part: String, replacement: String, message: String) {
    let error = dataError {
      _ = try DatasetManifest(parsing: Array(text.replacing(part, with: replacement).utf8), path: "d/dataset.json")
    }
    #expect(error.kind == .invalid && error.message.hasPrefix("'d/dataset.json'"))
    #expect(error.message.contains(message), "\(error.message)")
  }

  @Test func keysOfLaterVersionsArePassedOver() throws {
    let later = text.replacing("\"seed\":7", with: "\"seed\":7,\"history\":[{\"by\":\"x\"}]")
    #expect(try DatasetManifest(parsing: Array(later.utf8), path: "x") == manifest(splits: ["train"], applied: false))
  }
}
