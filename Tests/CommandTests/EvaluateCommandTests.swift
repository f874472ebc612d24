import Foundation
import TestSupport
import Testing

/// `apus evaluate`: the metrics are those that numpy computes, on any number of ranks, on any HDF5 file.
@Suite(.enabled(if: Python.isAvailable)) struct EvaluateCommandTests {
  let folder: TemporaryDirectory

  init() throws { folder = try TemporaryDirectory("evaluate") }

  /// Trains a job whose keys are given as `--set` takes them.
  private func train(
    _ keys: [String: String], to output: String = "run", ranks: Int = 2,
    sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    try folder.write(
      text: "{ data: { path: '?' }, model: { kind: 'softmax' }, train: { epochs: 3, batch_size: 64 } }", to: "job.json")
    let all = keys.merging(["output": output]) { given, _ in given }.sorted { $0.key < $1.key }
    try CommandLineRun.succeed(
      ["train", "job.json", "--overwrite"] + all.flatMap { ["--set", "\($0.key)=\($0.value)"] }, ranks: ranks,
      in: folder,
      sourceLocation: sourceLocation)
  }

  private func evaluate(
    _ arguments: [String], ranks: Int, sourceLocation: SourceLocation = #_sourceLocation
  ) throws -> EvaluateMetrics.Report {
    let result = try CommandLineRun.succeed(
      ["evaluate"] + arguments + ["--json"], ranks: ranks, in: folder, sourceLocation: sourceLocation)
    #expect(result.standardError.isEmpty, "\(result)", sourceLocation: sourceLocation)
    return try EvaluateMetrics.Report(result)
  }

  /// Expects the report of `arguments` on 1, 2, 3 and 4 ranks to be that of numpy.
  @discardableResult
  private func expectMetrics(
    _ arguments: [String], shards: [String], features: String = "features", targets: String = "targets",
    ranks: [Int] = [1, 2, 3, 4],
    sourceLocation: SourceLocation = #_sourceLocation
  ) throws -> EvaluateMetrics.Report {
    let expected = try EvaluateMetrics.reference(
      model: "run/model.safetensors", shards: shards, features: features, targets: targets, in: folder)
    for count in ranks {
      let report = try evaluate(arguments, ranks: count, sourceLocation: sourceLocation)
      #expect(report.differences(from: expected) == [], "on \(count) ranks", sourceLocation: sourceLocation)
    }
    return expected
  }

  private func prepare(_ table: String, target: String, _ more: [String] = []) throws {
    try CommandLineRun.succeed(["prepare", table, "--target", target, "--output", "data"] + more, ranks: 0, in: folder)
  }

  private static let digits = PackageRoot.file("Datasets/digits/digits.csv")
  private static let diabetes = PackageRoot.file("Datasets/diabetes/diabetes.csv")

  // MARK: Data sets of apus prepare

  @Test func classes() throws {
    try prepare(Self.digits, target: "digit", ["--standardize"])
    try train(["data.path": "data", "model.kind": "mlp", "model.hidden": "[16]", "model.activation": "tanh"])
    let report = try expectMetrics(["run", "data"], shards: ["data/test-00000-of-00001.h5"])
    #expect(report.rows == 359 && report.confusion?.count == 10 && report.auc == nil)
    try expectMetrics(["run", "data", "--split", "train"], shards: ["data/train-00000-of-00001.h5"], ranks: [3])
    // The model alone, and a shard alone: the normalization lies in the model.
    try expectMetrics(
      ["run/model.safetensors", "data/test-00000-of-00001.h5"], shards: ["data/test-00000-of-00001.h5"], ranks: [2])
    // The table for people has the same numbers.
    let table = try CommandLineRun.succeed(["evaluate", "run", "data"], ranks: 2, in: folder).outputLines
    #expect(table[0] == "rows      359")
    #expect(table[2].hasPrefix("accuracy  ") && table[2].hasSuffix(" %"))
    #expect(
      table.contains { $0.hasPrefix("class  precision  recall      F1  rows") }
        && table.contains { $0.contains("true \\ predicted") })
  }

  @Test func values() throws {
    try prepare(Self.diabetes, target: "progression", ["--standardize"])
    try train(["data.path": "data", "model.kind": "linear", "optimizer.learning_rate": "10", "train.epochs": "30"])
    let report = try expectMetrics(["run", "data"], shards: ["data/test-00000-of-00001.h5"])
    #expect(try #require(report.r2) > 0.3)
    let table = try CommandLineRun.succeed(["evaluate", "run", "data"], ranks: 1, in: folder).outputLines
    #expect(table.map { $0.split(separator: " ").first } == ["rows", "loss", "MSE", "RMSE", "MAE", "R²"])
  }

  /// A binary problem whose features are so few that many rows have the same score.
  @Test(arguments: ["logistic", "svm", "softmax"]) func twoClassesWithTies(_ kind: String) throws {
    try Python.text(
      """
      import h5py, numpy as np
      random = np.random.default_rng(3)
      x = random.integers(0, 3, size=(501, 2)).astype("f4")
      y = (x.sum(axis=1) + random.normal(size=501) > 2).astype("i4")
      for i, (a, b) in enumerate([(0, 100), (100, 100), (100, 333), (333, 501)]):
          with h5py.File(f"part-{i}.h5", "w") as file: file["features"] = x[a:b]; file["targets"] = y[a:b]
      """, workingDirectory: folder.path)
    try train(["data.path": "part-*.h5", "model.kind": kind, "optimizer.learning_rate": "0.05"])
    let report = try expectMetrics(["run", "part-*.h5"], shards: (0..<4).map { "part-\($0).h5" })
    #expect(try #require(report.auc) > 0.7 && report.classes?.count == 2)
  }

  // MARK: Files of others

  /// Images in bytes, as many collections have them: [rows, 28, 28], labels of 64 bits, other names, one factor for all values.
  @Test func images() throws {
    try Python.text(
      """
      import h5py, numpy as np
      random = np.random.default_rng(4)
      prototypes = random.integers(0, 256, size=(4, 28, 28))
      y = random.integers(0, 4, size=300)
      x = np.clip(prototypes[y] + random.normal(0, 60, size=(300, 28, 28)), 0, 255).astype("u1")
      with h5py.File("images.h5", "w") as file:
          file.create_dataset("data/x", data=x, chunks=(64, 28, 28), compression="gzip", shuffle=True)
          file["data/y"] = y.astype("i8")
      """, workingDirectory: folder.path)
    let names = ["data.features": "data/x", "data.targets": "data/y"]
    try train(names.merging(["data.path": "images.h5", "data.scale": "\(1.0 / 255)"]) { one, _ in one }, ranks: 3)
    let report = try expectMetrics(
      ["run", "images.h5", "--features", "data/x", "--targets", "data/y"], shards: ["images.h5"], features: "data/x",
      targets: "data/y", ranks: [1, 3])
    #expect(try #require(report.accuracy) > 0.9, "the factor is in the model file and applied by evaluate")
  }

  /// Features of 64 bits and one-hot classes.
  @Test func oneHot() throws {
    try Python.text(
      """
      import h5py, numpy as np
      random = np.random.default_rng(5)
      x = random.normal(size=(240, 6)); y = (x @ random.normal(size=(6, 3))).argmax(axis=1)
      with h5py.File("onehot.hdf5", "w") as file: file["x"] = x; file["y"] = np.eye(3, dtype="f8")[y]
      """, workingDirectory: folder.path)
    for (kind, more) in [("softmax", [:]), ("svm", [:]), ("mlp", ["model.hidden": "[8]", "loss": "softmax"])] {
      let keys = [
        "data.path": "onehot.hdf5", "data.features": "x", "data.targets": "y", "model.kind": kind,
        "optimizer.learning_rate": "0.05",
      ]
      try train(keys.merging(more) { one, _ in one })
      let report = try expectMetrics(
        ["run", "onehot.hdf5", "--features", "x", "--targets", "y"], shards: ["onehot.hdf5"], features: "x",
        targets: "y", ranks: [2])
      #expect(try #require(report.accuracy) > 0.6, "\(kind)")
    }
  }

  /// Several values a row, of 64 bits; the smallest integers as features.
  @Test(arguments: ["squared", "huber", "absolute"]) func severalOutputs(_ loss: String) throws {
    try Python.text(
      """
      import h5py, numpy as np
      random = np.random.default_rng(6)
      x = random.integers(-5, 6, size=(200, 4)).astype("i1")
      y = x @ random.normal(size=(4, 3)) + random.normal(size=(200, 3)) / 10
      with h5py.File("values.h5", "w") as file: file["features"] = x; file["targets"] = y
      """, workingDirectory: folder.path)
    try train(["data.path": "values.h5", "model.kind": "linear", "loss": loss, "optimizer.learning_rate": "0.05"])
    try expectMetrics(["run", "values.h5"], shards: ["values.h5"], ranks: [3])
  }

  // MARK: Edges

  /// More ranks than rows, and targets that do not vary.
  @Test func fewRows() throws {
    try Python.text(
      """
      import h5py, numpy as np
      with h5py.File("few.h5", "w") as file: file["features"] = np.ones((2, 3), "f4"); file["targets"] = np.full(2, 7, "f4")
      """, workingDirectory: folder.path)
    try train(["data.path": "few.h5", "model.kind": "linear"], ranks: 4)
    let report = try evaluate(["run", "few.h5"], ranks: 4)
    #expect(report.rows == 2 && report.r2 == nil)
    let table = try CommandLineRun.succeed(["evaluate", "run", "few.h5"], ranks: 0, in: folder)
    #expect(table.standardOutput.contains("R²        - (the targets do not vary)"), "\(table)")
  }

  @Test func aSplitThatIsNotThere() throws {
    try prepare(Self.diabetes, target: "progression")
    try train(["data.path": "data", "model.kind": "linear", "train.epochs": "1"])
    try CommandLineRun.fail(
      ["evaluate", "run", "data", "--split", "tets"], ranks: 3, in: folder, code: 64,
      says: ["'data/dataset.json' has no split 'tets'; it has 'train', 'test'", "hint: did you mean 'test'?"])
  }
}
