import TestSupport
import Testing

@Suite(.enabled(if: Python.isAvailable)) struct PredictTests {
  private let folder: TemporaryDirectory

  init() throws { folder = try TemporaryDirectory("predict") }

  private func predict(_ data: String, _ output: String, _ more: [String] = [], ranks: Int? = nil) throws -> RunResult {
    let arguments = ["predict", "model.safetensors", data, "--output", output] + more
    guard let ranks else { return try Run.program(Binaries.apus, arguments, workingDirectory: folder.path) }
    return try MPILauncher.run(ranks: ranks, Binaries.apus, arguments, workingDirectory: folder.path)
  }

  private let shards = ["--features", "x"]

  /// Nothing but the fixture is left, not even a hidden file.
  private func leftovers() throws -> [String] {
    let fixture = ["model.safetensors", "expected.h5", "data.csv"]
    return try folder.names().filter { !fixture.contains($0) && !$0.hasPrefix("part-") }
  }

  struct Case: Sendable, CustomTestStringConvertible {
    let kind: String, loss: String, outputs: Int, classes: [String], meaning: String, names: [String], tolerance: Double
    var testDescription: String { "\(kind), \(outputs) outputs" }
  }

  static let cases = [
    Case(
      kind: "linear", loss: "squared", outputs: 1, classes: [], meaning: "values", names: ["values"], tolerance: 2e-5),
    Case(
      kind: "linear", loss: "squared", outputs: 2, classes: [], meaning: "values", names: ["values"], tolerance: 2e-5),
    Case(
      kind: "logistic", loss: "logistic", outputs: 1, classes: ["no", "yes"], meaning: "logistic",
      names: ["classes", "labels", "probabilities"], tolerance: 1e-5),
    Case(
      kind: "softmax", loss: "softmax", outputs: 3, classes: ["a", "b, c", "d \"e\""], meaning: "softmax",
      names: ["classes", "labels", "probabilities"], tolerance: 1e-5),
    Case(
      kind: "svm", loss: "hinge", outputs: 1, classes: ["no", "yes"], meaning: "scores",
      names: ["classes", "labels", "scores"], tolerance: 2e-5),
    Case(
      kind: "svm", loss: "hinge", outputs: 3, classes: ["x", "y", "z"], meaning: "scores",
      names: ["classes", "labels", "scores"], tolerance: 2e-5),
  ]

  @Test("each kind of model against numpy", arguments: cases) func kinds(_ model: Case) throws {
    try ModelFixture.write(
      to: folder, kind: model.kind, loss: model.loss, outputs: model.outputs, classes: model.classes, rows: 500)
    let result = try predict("part-*.h5", "out.h5", shards)
    #expect(result.exitCode == 0, "\(result)")
    #expect(result.standardOutput == "500 rows predicted: out.h5\n")
    let found = try ModelFixture.difference(folder, "out.h5", kind: model.meaning)
    #expect(found.names == model.names)
    #expect(found.isSameShape, "\(found.shape)")
    #expect(found.most < model.tolerance)
    #expect(found.wrongLabels == 0)
    #expect(found.classes == model.classes)
    #expect(found.types == (model.classes.isEmpty ? ["float32"] : ["int32", "float32"]))
  }

  @Test("the same bytes on any number of ranks, from shards and from CSV") func ranks() throws {
    // Three blocks and a part of a fourth.
    try ModelFixture.write(
      to: folder, kind: "softmax", loss: "softmax", outputs: 3, classes: ["a", "b", "c"], rows: 13_000, normalized: true
    )
    let one = try predict("part-*.h5", "one.h5", shards)
    #expect(one.exitCode == 0, "\(one)")
    let found = try ModelFixture.difference(folder, "one.h5", kind: "softmax")
    #expect(found.shape == [13_000, 3])
    #expect(found.most < 1e-5)
    #expect(try predict("part-*.h5", "one.csv", shards).exitCode == 0)
    for ranks in 1...5 {
      for (data, options) in [("part-*.h5", shards), ("data.csv", [])] {
        for ending in ["h5", "csv"] {
          let result = try predict(data, "many.\(ending)", ["--overwrite"] + options, ranks: ranks)
          #expect(result.exitCode == 0, "\(result)")
          #expect(result.standardOutput == "13,000 rows predicted: many.\(ending)\n")
          #expect(
            try folder.read("many.\(ending)") == folder.read("one.\(ending)"), "\(data) on \(ranks) ranks, \(ending)")
        }
      }
    }
  }

  @Test("a table that ends with a block, and one without rows", arguments: [0, 1, 4096, 8192]) func borders(_ rows: Int)
    throws
  {
    try ModelFixture.write(to: folder, kind: "linear", loss: "squared", outputs: 1, rows: rows)
    for ranks in [1, 2, 3] {
      for (data, options) in [("data.csv", []), ("part-*.h5", shards)] {
        let result = try predict(data, "out.h5", ["--overwrite"] + options, ranks: ranks)
        #expect(result.exitCode == 0, "\(result)")
        let found = try ModelFixture.difference(folder, "out.h5", kind: "values")
        #expect(found.shape == [rows])
        #expect(found.most < 2e-5)
      }
    }
  }

  @Test("CSV: names of classes, probabilities, quotes") func csv() throws {
    let classes = ["a", "b, c", "d \"e\""]
    try ModelFixture.write(to: folder, kind: "softmax", loss: "softmax", outputs: 3, classes: classes, rows: 50)
    #expect(try predict("data.csv", "out.csv").exitCode == 0)
    #expect(try predict("data.csv", "out.h5").exitCode == 0)
    struct Table: Decodable {
      let header: [String], rows: Int, isSame: Bool
    }
    let table: Table = try Python.value(
      """
      import csv, json, sys, h5py, numpy as np
      rows = list(csv.reader(open(sys.argv[1] + "/out.csv")))
      f = h5py.File(sys.argv[1] + "/out.h5")
      names = [c.decode() for c in f["classes"][:]]
      same = all(r[0] == names[l] and (np.array(r[1:], dtype=np.float32) == p).all()
                 for r, l, p in zip(rows[1:], f["labels"][:], f["probabilities"][:]))
      print(json.dumps(dict(header=rows[0], rows=len(rows) - 1, isSame=bool(same))))
      """, [folder.path])
    #expect(table.header == ["prediction"] + classes.map { "probability_\($0)" })
    #expect(table.rows == 50)
    #expect(table.isSame)
  }

  @Test("CSV: columns of regressions and margins") func headers() throws {
    for (kind, loss, outputs, classes, header) in [
      ("linear", "squared", 1, [], "prediction"), ("linear", "huber", 2, [], "prediction_0,prediction_1"),
      ("svm", "hinge", 1, ["no", "yes"], "prediction,score"),
      ("svm", "hinge", 3, ["x", "y", "z"], "prediction,score_x,score_y,score_z"),
    ] {
      try ModelFixture.write(to: folder, kind: kind, loss: loss, outputs: outputs, classes: classes, rows: 4)
      #expect(try predict("data.csv", "out.csv", ["--overwrite"]).exitCode == 0)
      let lines = try folder.readText("out.csv").split(separator: "\n")
      #expect(lines.first.map(String.init) == header)
      #expect(lines.count == 5)
    }
  }

  @Test("a CSV file without a column of the model") func missingColumn() throws {
    try ModelFixture.write(to: folder, kind: "linear", loss: "squared", outputs: 1, rows: 5)
    try folder.write(text: "height,widht,weight\n1,2,3\n", to: "data.csv")
    for ranks in [nil, 2] {
      let result = try predict("data.csv", "out.h5", ranks: ranks)
      #expect(result.exitCode == 65)
      #expect(
        result.standardError.contains("apus: data.csv:1:1: there is no column 'width'\n  hint: did you mean 'widht'?"))
      #expect(result.errorLines.count { $0.hasPrefix("apus:") } == 1)
    }
    #expect(try leftovers() == [])
  }

  @Test("B19: another number of columns") func columns() throws {
    try ModelFixture.write(to: folder, kind: "linear", loss: "squared", outputs: 1, rows: 5, named: false)
    try Python.text(
      "import h5py, numpy, sys; h5py.File(sys.argv[1], 'w')['x'] = numpy.zeros((4, 5), 'f4')",
      [folder.file("part-wide.h5")])
    let shards = try predict("part-wide.h5", "out.h5", shards, ranks: 2)
    #expect(shards.exitCode == 65)
    #expect(shards.standardError.contains("apus: the data have 5 columns, and the model was trained on 3\n"))
    #expect(shards.errorLines.count { $0.hasPrefix("apus:") } == 1)
    // A model without names takes the columns as they come.
    let table = try predict("data.csv", "out.h5")
    #expect(table.exitCode == 65)
    #expect(table.standardError.contains("'data.csv' has 4 columns, and the model was trained on 3"))
    #expect(try leftovers() == [])
    try folder.write(text: "p,q,r\n1,2,3\n", to: "data.csv")
    #expect(try predict("data.csv", "out.h5").exitCode == 0)
  }

  @Test("a bad row is told once, and no file is left", arguments: [nil, 1, 3]) func badRow(_ ranks: Int?) throws {
    try ModelFixture.write(to: folder, kind: "linear", loss: "squared", outputs: 1, rows: 20_000)
    // The last part begins with row 10,000. Rows 10,500 and 18,000 lie in the third and the fifth block: on 3 ranks those of
    // rank 2 and rank 1.
    try Python.text(
      """
      import h5py, sys
      with h5py.File(sys.argv[1], "r+") as f:
          f["x"][500, 1] = float("nan")
          f["x"][8000, 2] = float("inf")
      """, [folder.file("part-3.h5")])
    let result = try predict("part-*.h5", "out.h5", shards, ranks: ranks)
    #expect(result.exitCode == 65)
    #expect(result.standardError.contains("apus: 'part-3.h5', row 500, column 1: not a number (NaN)"), "\(result)")
    #expect(result.errorLines.count { $0.hasPrefix("apus:") } == 1)
    #expect(try leftovers() == [])
  }

  @Test("a bad field of a table is told once, and no file is left", arguments: [nil, 3]) func badField(_ ranks: Int?)
    throws
  {
    try ModelFixture.write(to: folder, kind: "linear", loss: "squared", outputs: 1, rows: 9_000)
    let text = try folder.readText("data.csv")
    var lines = text.split(separator: "\r\n").map(String.init)
    lines[8_001] = "1,none,abc,3"
    try folder.write(text: lines.joined(separator: "\n"), to: "data.csv")
    let result = try predict("data.csv", "out.csv", ranks: ranks)
    #expect(result.exitCode == 65)
    #expect(result.standardError.contains("apus: data.csv:8002:8: column 'height': 'abc' is not a number"), "\(result)")
    #expect(result.errorLines.count { $0.hasPrefix("apus:") } == 1)
    #expect(try leftovers() == [])
  }

  @Test("the output: not over a file that is there, not without its folder, not of an unknown kind") func output()
    throws
  {
    try ModelFixture.write(to: folder, kind: "linear", loss: "squared", outputs: 1, rows: 5)
    try folder.write(text: "mine", to: "out.csv")
    let refused = try predict("data.csv", "out.csv")
    #expect(refused.exitCode == 73)
    #expect(refused.standardError == "apus: the output 'out.csv' exists already\n  hint: --overwrite replaces it\n")
    #expect(try folder.readText("out.csv") == "mine")
    #expect(try predict("data.csv", "out.csv", ["--overwrite"]).exitCode == 0)
    #expect(try folder.readText("out.csv").hasPrefix("prediction\n"))

    let nowhere = try predict("data.csv", "no/out.csv")
    #expect(nowhere.exitCode == 73)
    #expect(nowhere.standardError.contains("there is no directory 'no'"))
    let kind = try predict("data.csv", "out.txt")
    #expect(kind.exitCode == 64)
    #expect(kind.standardError.contains("'out.txt' ends neither in .h5 nor in .csv"))
    #expect(try predict("data.csv", "x.h5", ["--split", "test"]).exitCode == 64)
    #expect(try predict("nothere.csv", "x.h5").exitCode == 66)
    #expect(try predict("nothere.h5", "x.h5").exitCode == 66)
    #expect(try leftovers() == ["out.csv"])
  }

  @Test("prepare, train, predict: the test split by default, raw rows alike") func chain() throws {
    var csv = "size,weight,kind\n"
    for row in 0..<60 { csv += "\(row % 10 + (row % 2) * 20),\(row * 7 % 13),\(row % 2 == 0 ? "small" : "large")\n" }
    try folder.write(text: csv, to: "things.csv")
    func run(_ arguments: String...) throws {
      let result = try Run.program(Binaries.apus, arguments, workingDirectory: folder.path)
      #expect(result.exitCode == 0, "\(result)")
    }
    try run("prepare", "things.csv", "--target", "kind", "--output", "things", "--standardize", "--test", "0.2")
    try folder.write(
      text: """
        { data: { path: "things" }, model: { kind: "logistic" }, optimizer: { kind: "adam", learning_rate: 0.1 },
          train: { epochs: 30, batch_size: 15 }, output: "run" }
        """, to: "job.json")
    try run("train", "job.json")
    try run("predict", "run", "things", "--output", "test.csv")
    try run("predict", "run", "things", "--output", "train.csv", "--split", "train")
    try run("predict", "run", "things.csv", "--output", "all.csv")
    func rows(_ name: String) throws -> [String] {
      try folder.readText(name).split(separator: "\n").dropFirst().map(String.init)
    }
    #expect(try rows("test.csv").count == 12)
    #expect(try rows("train.csv").count == 48)
    #expect(try (rows("test.csv") + rows("train.csv")).sorted() == rows("all.csv").sorted())
    let labels = try rows("all.csv").map { $0.prefix { $0 != "," } }
    #expect(labels.enumerated().allSatisfy { $1 == ($0 % 2 == 0 ? "small" : "large") })

    // Columns are found by name, wherever they are.
    try folder.write(
      text: csv.split(separator: "\n").map { line in
        let fields = line.split(separator: ",")
        return "\(fields[1]),\(fields[0]),\(fields[2])\n"
      }.joined(), to: "turned.csv")
    try run("prepare", "turned.csv", "--target", "kind", "--output", "turned", "--test", "0")
    try run("predict", "run", "turned", "--output", "turned.csv", "--overwrite")
    #expect(try rows("turned.csv").sorted() == rows("all.csv").sorted())
  }
}
