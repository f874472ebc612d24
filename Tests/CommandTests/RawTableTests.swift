import Foundation
import TestSupport
import Testing

/// `predict` and `evaluate` on raw CSV files, with a model that keeps what was done to its training data.
@Suite(.enabled(if: Python.isAvailable)) struct RawTableTests {
  private let folder: TemporaryDirectory

  init() throws { folder = try TemporaryDirectory("raw-table") }

  /// Diamonds: a standardized number whose missing values are filled, one-hot categories, a derived column; rows without a
  /// table are dropped. What was fitted is made up.
  private static let preparation = """
    {"version": 1,
     "recipe": {"target": "price", "target_transform": "log", "filter": "price > 0", "derive": {"ratio": "carat / depth"},
       "columns": {"carat": {"missing": "mean", "indicator": true, "minimum": 0, "transform": "standardize"},
         "cut": {"unseen": "ignore", "missing": "most_frequent"}, "table": {"missing": "drop"},
         "depth": {"missing": "median"}, "ratio": {"missing": "mean"}}},
     "dialect": {"delimiter": ",", "quote": "\\"", "header": true, "decimal": ".", "thousands": null, "comment": null},
     "schema": [{"name": "carat", "type": "real"},
       {"name": "cut", "type": "category", "dictionary": ["Fair", "Good", "Ideal"]},
       {"name": "depth", "type": "real"}, {"name": "table", "type": "integer"}, {"name": "price", "type": "integer"}],
     "target": {"name": "price"},
     "fitted": [
       {"name": "carat", "fill": 0.75, "transformations": [{"kind": "standardize", "centers": [0.75], "scales": [0.5]}]},
       {"name": "cut", "fill": "Ideal", "transformations": [
         {"kind": "one_hot", "categories": ["Fair", "Good", "Ideal"], "drop_first": false}]},
       {"name": "depth", "fill": 61.5, "transformations": []}, {"name": "table", "transformations": []},
       {"name": "ratio", "fill": 0.0125, "transformations": []}]}
    """

  /// Writes `model.safetensors` and `raw.csv` of `rows` rows with holes, and what numpy makes of them: `expected` predictions,
  /// NaN where there is none, and the metrics of the rows that stay.
  private struct Expected: Decodable {
    let predictions: [Double?], loss: Double, mae: Double, r2: Double, judged: Int
  }

  private func write(rows: Int) throws -> Expected {
    struct Request: Encodable { let folder: String, rows: Int, preparation: String }
    return try Python.value(
      """
      import csv, json, math, sys
      import numpy as np
      from safetensors.numpy import save_file
      r = json.load(sys.stdin)
      random = np.random.default_rng(3)
      names = ["carat", "carat_missing", "cut_Fair", "cut_Good", "cut_Ideal", "depth", "table", "ratio"]
      w = np.array([[0.4, -0.1, 0.1, 0.2, 0.3, 0.01, 0.02, 5.0]], np.float32)
      b = np.array([5.0], np.float32)
      save_file({"layers.0.weight": w, "layers.0.bias": b}, r["folder"] + "/model.safetensors", {
          "format": "apus-model-1", "kind": "linear", "activation": "relu", "loss": "squared", "classes": "[]",
          "columns": json.dumps(names), "target": "price", "step": "12", "job": "{}", "preparation": r["preparation"],
          "normalization": json.dumps({"scale": 1, "means": None, "scales": None})})
      lines, features, prices = [], [], []
      for i in range(r["rows"]):
          carat = None if random.random() < 0.1 else round(float(random.gamma(2, 0.4)), 2)
          cut = ["Fair", "Good", "Ideal", "Strange", "NA"][int(random.integers(5))]
          depth = None if random.random() < 0.05 else round(float(random.normal(61.5, 1)), 1)
          table = None if random.random() < 0.05 else int(random.integers(50, 65))
          price = int(random.integers(0, 9)) * 500
          lines.append(["" if carat is None else carat, i, price, cut,
                        "null" if table is None else table, "" if depth is None else depth])
          prices.append(price)
          known = 0.75 if carat is None else carat
          ratio = 0.0125 if carat is None or depth is None else carat / depth
          shown = "Ideal" if cut == "NA" else cut
          features.append([(known - 0.75) / 0.5, float(carat is None), *(float(shown == c) for c in ["Fair", "Good", "Ideal"]),
                           61.5 if depth is None else depth, math.nan if table is None else table, ratio])
      with open(r["folder"] + "/raw.csv", "w", newline="") as f:
          out = csv.writer(f)
          out.writerow(["carat", "id", "price", "cut", "table", "depth"])
          out.writerows(lines)
      scores = np.array(features) @ w[0].astype(float) + 5
      predictions = [None if math.isnan(s) else math.exp(s) for s in scores]
      prices = np.array(prices, float)
      stay = (prices > 0) & ~np.isnan(scores)
      wanted, found = np.log(prices[stay]), scores[stay]
      mse = float(np.mean((found - wanted) ** 2))
      print(json.dumps({"predictions": predictions, "loss": mse, "mae": float(np.mean(abs(found - wanted))),
          "r2": 1 - mse / float(np.var(wanted)), "judged": int(stay.sum())}))
      """,
      json: Request(folder: folder.path, rows: rows, preparation: Self.preparation))
  }

  @Test func predictionsAreThoseOfNumpyOnAnyNumberOfRanks() throws {
    let expected = try write(rows: 10_000)
    try CommandLineRun.succeed(
      ["predict", "model.safetensors", "raw.csv", "--output", "one.csv"], ranks: 0, in: folder)
    let lines = try folder.readText("one.csv").split(separator: "\n", omittingEmptySubsequences: false).dropLast()
    #expect(lines.first == "prediction" && lines.count == 10_001)
    let found = lines.dropFirst().map { Double($0) }
    #expect(found.filter { $0 == nil }.count > 300)
    for (row, (found, expected)) in zip(found, expected.predictions).enumerated() {
      let isEqual = found == nil ? expected == nil : abs((found ?? 0) / (expected ?? 0) - 1) < 1e-5
      guard isEqual else {
        Issue.record("row \(row): \(String(describing: found)), numpy has \(String(describing: expected))")
        break
      }
    }
    try CommandLineRun.succeed(["predict", "model.safetensors", "raw.csv", "--output", "one.h5"], ranks: 0, in: folder)
    for ranks in 1...4 {
      for ending in ["csv", "h5"] {
        try CommandLineRun.succeed(
          ["predict", "model.safetensors", "raw.csv", "--output", "many.\(ending)", "--overwrite"], ranks: ranks,
          in: folder)
        #expect(try folder.read("many.\(ending)") == folder.read("one.\(ending)"), "on \(ranks) ranks, \(ending)")
      }
    }
  }

  /// The metrics are of the logarithm that the model learned.
  @Test func metricsAreThoseOfNumpyOnAnyNumberOfRanks() throws {
    struct Report: Decodable {
      let rows: Int, loss: Double, mse: Double, mae: Double, r2: Double, transform: String

      private enum CodingKeys: String, CodingKey {
        case rows, loss, mse, mae, r2
        case transform = "target_transform"
      }
    }
    let expected = try write(rows: 5_000)
    var first: String?
    for ranks in 0...4 {
      let result = try CommandLineRun.succeed(
        ["evaluate", "model.safetensors", "raw.csv", "--json"], ranks: ranks, in: folder)
      let report = try JSONDecoder().decode(Report.self, from: Data(result.standardOutput.utf8))
      #expect(report.rows == expected.judged && report.transform == "log")
      #expect(abs(report.loss / expected.loss - 1) < 1e-5 && abs(report.mse / expected.loss - 1) < 1e-5)
      #expect(abs(report.mae / expected.mae - 1) < 1e-5 && abs(report.r2 - expected.r2) < 1e-4)
      if let first { #expect(result.standardOutput == first, "on \(ranks) ranks") }
      first = result.standardOutput
    }
    let table = try CommandLineRun.succeed(["evaluate", "model.safetensors", "raw.csv"], ranks: 0, in: folder)
    #expect(table.standardOutput.contains("target    log of price\n"))
  }

  // MARK: What is wrong

  private func complaint(_ command: [String], ranks: Int = 0) throws -> RunResult {
    let arguments = [command[0], "model.safetensors"] + command.dropFirst()
    if ranks == 0 { return try Run.program(Binaries.apus, arguments, workingDirectory: folder.path) }
    return try MPILauncher.run(ranks: ranks, Binaries.apus, arguments, workingDirectory: folder.path)
  }

  @Test(arguments: [
    (
      "carat,cut,depth,table,price\n1,Ideal,60,55,300\nbig,Ideal,60,55,300\n",
      "new.csv:3:1: column 'carat': 'big' is not a number"
    ),
    (
      "carat,cut,depth,table,price\n1,Ideal,60,55,300\n1,Ideal,60,55,300\n-2,Good,60,55,9\n",
      "new.csv:4:1: column 'carat': -2 is below the minimum 0"
    ),
    (
      "carat,cut,depth,tabel,price\n1,Ideal,60,55,300\n",
      "new.csv:1:1: there is no column 'table'\n  hint: did you mean 'tabel'?"
    ),
    ("carat,cut,depth,table,price\n1,Ideal,60,55\n", "new.csv:2:14: this record has 4 fields, the header has 5"),
    ("carat,cut,depth,table,price\n1,\"Ideal,60,55,300\n", "new.csv:2:3: the quote that opens here is never closed"),
    ("", "new.csv:1:1: the file is empty: not even a header"),
  ])
  func badTables(table: String, message: String) throws {
    _ = try write(rows: 50)
    try folder.write(text: table, to: "new.csv")
    for (command, ranks) in [
      (["predict", "new.csv", "--output", "out.csv"], 0), (["evaluate", "new.csv"], 0),
      (["predict", "new.csv", "--output", "out.csv"], 3), (["evaluate", "new.csv"], 3),
    ] {
      let result = try complaint(command, ranks: ranks)
      #expect(result.exitCode == 65, "\(result)")
      #expect(result.standardError.contains("apus: " + message) || result.standardError.contains(message), "\(result)")
      #expect(try !folder.names().contains("out.csv"))
    }
  }

  /// What only `evaluate` needs.
  @Test func targetsOfRowsToBeJudged() throws {
    _ = try write(rows: 50)
    try folder.write(text: "carat,cut,depth,table\n1,Ideal,60,55\n", to: "new.csv")
    #expect(try complaint(["predict", "new.csv", "--output", "out.csv"]).exitCode == 0)
    let missing = try complaint(["evaluate", "new.csv"])
    #expect(missing.exitCode == 65 && missing.standardError.contains("there is no column 'price'"), "\(missing)")
    try folder.write(text: "carat,cut,depth,table,price\n1,Ideal,60,55,\n", to: "new.csv")
    let empty = try complaint(["evaluate", "new.csv"])
    // A filter on a price that is not there leaves the row out.
    #expect(empty.exitCode == 65 && empty.standardError.contains("has no rows to judge the model on"), "\(empty)")
    let split = try complaint(["evaluate", "new.csv", "--split", "test"])
    #expect(split.exitCode == 64 && split.standardError.contains("--split is for HDF5 data"), "\(split)")
  }

  @Test(arguments: [
    ("\"fitted\": [", "\"fitted\": [3, "), ("\"version\": 1", "\"version\": 9"),
    ("\"depth\", \"type\": \"real\"", "\"deep\", \"type\": \"real\""),
  ])
  func damagedPreparations(part: String, damage: String) throws {
    let damaged = Self.preparation.replacingOccurrences(of: part, with: damage)
    #expect(damaged != Self.preparation)
    struct Request: Encodable { let folder: String, preparation: String }
    let _: Int = try Python.value(
      """
      import json, sys
      import numpy as np
      from safetensors.numpy import save_file
      r = json.load(sys.stdin)
      save_file({"layers.0.weight": np.ones((1, 8), np.float32), "layers.0.bias": np.ones(1, np.float32)},
          r["folder"] + "/model.safetensors", {"format": "apus-model-1", "kind": "linear", "activation": "relu",
          "loss": "squared", "classes": "[]", "columns": "[]", "target": "price", "preparation": r["preparation"]})
      print(0)
      """, json: Request(folder: folder.path, preparation: damaged))
    try folder.write(text: "carat\\n1\\n", to: "new.csv")
    for ranks in [0, 2] {
      let result = try complaint(["evaluate", "new.csv"], ranks: ranks)
      #expect(
        result.exitCode == 65 && result.standardError.contains("the preparation that the model keeps"), "\(result)")
    }
  }

  /// How numbers are written is asked for once: the recipe's data set and the model know it.
  @Test func dialectsTravelWithTheModel() throws {
    struct Report: Decodable { let rows: Int, loss: Double }
    let rows = (0..<300).map { row in
      let missing = row % 17 == 3
      return "\(missing ? "" : "1.\(100 + row),\(row % 10)");\(row % 3 == 0 ? "rot" : "grün");\(row % 7),5\n"
    }
    try folder.write(text: "größe;farbe;preis\n# kein Wert\n" + rows.joined(), to: "table.csv")
    try folder.write(
      text: """
        { target: "preis", task: "regression", split: { test: 0 },
          columns: { "größe": { missing: "median", transform: "standardize" }, farbe: { transform: "one_hot" } } }
        """, to: "prepare.json")
    try CommandLineRun.succeed(
      [
        "prepare", "table.csv", "--recipe", "prepare.json", "--output", "data", "--decimal", ",", "--thousands", ".",
        "--comment", "#",
      ], ranks: 0, in: folder)
    try folder.write(
      text: "{ data: { path: 'data' }, model: { kind: 'linear' }, train: { epochs: 2 }, output: 'run' }", to: "job.json"
    )
    try CommandLineRun.succeed(["train", "job.json"], ranks: 0, in: folder)
    let reports = try [["data", "--split", "train"], ["table.csv"]].map { data in
      let result = try CommandLineRun.succeed(["evaluate", "run"] + data + ["--json"], ranks: 2, in: folder)
      return try JSONDecoder().decode(Report.self, from: Data(result.standardOutput.utf8))
    }
    #expect(reports.map(\.rows) == [300, 300] && abs(reports[0].loss / reports[1].loss - 1) < 1e-6)
  }

  /// A model of plain columns, as before, is judged on a raw table as well.
  @Test func plainModels() throws {
    struct Report: Decodable { let rows: Int, loss: Double }
    let table = PackageRoot.file("Datasets/diabetes/diabetes.csv")
    try CommandLineRun.succeed(
      ["prepare", table, "--target", "progression", "--output", "data", "--standardize", "--test", "0"], ranks: 0,
      in: folder)
    try folder.write(
      text: "{ data: { path: 'data' }, model: { kind: 'linear' }, train: { epochs: 2 }, output: 'run' }", to: "job.json"
    )
    try CommandLineRun.succeed(["train", "job.json"], ranks: 0, in: folder)
    var reports: [Report] = []
    for data in ["data", table] {
      let split = data == table ? [] : ["--split", "train"]
      let result = try CommandLineRun.succeed(["evaluate", "run", data, "--json"] + split, ranks: 2, in: folder)
      reports.append(try JSONDecoder().decode(Report.self, from: Data(result.standardOutput.utf8)))
    }
    #expect(reports[0].rows == 442 && reports[1].rows == 442 && abs(reports[0].loss / reports[1].loss - 1) < 1e-6)
  }
}
