import Foundation
import TestSupport
import Testing

/// `evaluate` and `predict` of a model on data sets whose columns and classes are others, or elsewhere, than those of its training.
@Suite struct MatchedRowsTests {
  let folder: TemporaryDirectory

  /// A model of the columns a and b and the classes red, green and blue, in the order in which a data set has them.
  init() throws {
    folder = try TemporaryDirectory("matched")
    try write(["a", "b"], ["red", "green", "blue"], rows: 150, to: "all")
    try folder.write(
      text: """
        { data: { path: 'all' }, model: { kind: 'mlp', hidden: [6], activation: 'tanh' }, loss: 'softmax',
          optimizer: { kind: 'adam', learning_rate: 0.03 }, train: { epochs: 10, batch_size: 10 }, output: 'run' }
        """, to: "job.json")
    try CommandLineRun.succeed(["train", "job.json"], ranks: 0, in: folder)
  }

  private static let centers = [
    "red": [-1.0, 0, 0.5], "green": [1.0, 0, -0.5], "blue": [0.0, 2, 0], "black": [3, 3, 3],
  ]

  /// A table, and a data set of it.
  private func write(
    _ columns: [String], _ classes: [String], rows: Int, to name: String
  ) throws {
    var random = SeededGenerator(seed: 7)
    let lines = (0..<rows).map { row in
      let label = classes[row % classes.count]
      let values = ["a", "b", "c"].enumerated().map { index, column in
        (column, (Self.centers[label]?[index] ?? 0) + Double.random(in: -0.7...0.7, using: &random))
      }
      let found = Dictionary(uniqueKeysWithValues: values)
      return (columns.map { "\(found[$0] ?? .nan)" } + [label]).joined(separator: ",")
    }
    try folder.write(
      text: ([(columns + ["kind"]).joined(separator: ",")] + lines).joined(separator: "\n") + "\n", to: "\(name).csv")
    let options = ["--target", "kind", "--standardize", "--test", "0", "--shards", "2", "--output", name]
    try CommandLineRun.succeed(["prepare", "\(name).csv"] + options, ranks: 0, in: folder)
  }

  private func evaluation(_ data: String, ranks: Int = 0) throws -> [String: Any] {
    let text = try CommandLineRun.succeed(["evaluate", "run", data, "--json"], ranks: ranks, in: folder).standardOutput
    return try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
  }

  /// A raw table is matched by name: its data set gives what it gives, on any number of ranks.
  @Test(arguments: [
    (["b", "a"], ["red", "green", "blue"]), (["c", "b", "a"], ["blue", "red"]), (["a", "b"], ["green", "blue"]),
    (["a", "c", "b"], ["blue", "green", "red"]), (["b", "c", "a"], ["green", "green"]),
  ])
  func namesFindTheirPlaces(columns: [String], classes: [String]) throws {
    try write(columns, classes, rows: 90, to: "data")
    let table = try evaluation("data.csv")
    let shards = try evaluation("data")
    #expect(shards["rows"] as? Int == 90 && shards["accuracy"] as? Double == table["accuracy"] as? Double)
    #expect(abs(try #require(shards["loss"] as? Double) - #require(table["loss"] as? Double)) < 1e-5)
    #expect(try #require(shards["accuracy"] as? Double) > 0.9)
    let names = try #require(shards["classes"] as? [[String: Any]]).compactMap { $0["class"] as? String }
    #expect(Set(names) == ["red", "green", "blue"])
    for ranks in [1, 3] {
      #expect(try evaluation("data", ranks: ranks)["loss"] as? Double == shards["loss"] as? Double)
    }
    for (data, output) in [("data.csv", "table.csv"), ("data", "shards.csv")] {
      try CommandLineRun.succeed(["predict", "run", data, "--output", output], ranks: 2, in: folder)
    }
    func labels(_ name: String) throws -> [String] {
      try folder.readText(name).split(separator: "\n").map { String($0.prefix { $0 != "," }) }.sorted()
    }
    #expect(try labels("table.csv") == labels("shards.csv"))
  }

  /// Features that were normalized when they were stored are brought back to the units that the model knows.
  @Test func storedNormalizationsAreUndone() throws {
    try write(["c", "b", "a"], ["green", "red"], rows: 80, to: "data")
    let manifest = try folder.readText("data/dataset.json")
    #expect(manifest.contains("\"applied\": false"))
    let table = try evaluation("data.csv")
    try Python.text(
      """
      import glob, h5py, json
      manifest = json.load(open("data/dataset.json"))
      step = next(step for step in manifest["transformations"] if "means" in step)
      for path in glob.glob("data/*.h5"):
          with h5py.File(path, "r+") as file:
              x = file["features"][...]
              kind, rest = file["features"].dtype, x.shape
              del file["features"]
              file["features"] = ((x - step["means"]) / step["scales"]).astype("f4")
      step["applied"] = True
      json.dump(manifest, open("data/dataset.json", "w"))
      """, workingDirectory: folder.path)
    let stored = try evaluation("data")
    #expect(abs(try #require(stored["loss"] as? Double) - #require(table["loss"] as? Double)) < 1e-4)
    #expect(stored["accuracy"] as? Double == table["accuracy"] as? Double)
  }

  @Test func whatIsMissingIsNamed() throws {
    try write(["c", "b"], ["green", "red"], rows: 20, to: "lacks")
    try write(["b", "a"], ["green", "black"], rows: 20, to: "more")
    for (command, more) in [("evaluate", []), ("predict", ["--output", "out.h5"])] {
      try CommandLineRun.fail(
        [command, "run", "lacks"] + more, ranks: 3, in: folder, code: 65,
        says: ["lacks the column 'a', which the model has"])
    }
    try CommandLineRun.fail(
      ["evaluate", "run", "more"], ranks: 3, in: folder, code: 65,
      says: ["the data have the 2 classes", "black", "and the model was trained on the 3 classes", "train --from"])
    // What rows are is of no matter to who predicts them.
    try CommandLineRun.succeed(["predict", "run", "more", "--output", "more-out.csv"], ranks: 2, in: folder)
  }
}
