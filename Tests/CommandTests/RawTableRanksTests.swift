import Foundation
import TestSupport
import Testing

/// `predict` and `evaluate` on a raw CSV file that is cut into several parts of text, which the ranks read.
@Suite(.enabled(if: Python.isAvailable)) struct RawTableRanksTests {
  private static let rows = 9_000
  private let folder: TemporaryDirectory
  /// What the model says of each row, computed here; nil for rows that are left out.
  private let expected: [Double?]

  /// Writes a model with a lag over hundreds of rows, and a table whose notes hold line ends and what looks like rows, wherever a part of
  /// the text may end.
  init() throws {
    folder = try TemporaryDirectory("raw-table-ranks")
    let preparation = """
      {"version": 1,
       "recipe": {"target": "y", "filter": "x > 10", "derive": {"older": "lag(x, 700)"}, "ignore": ["note"],
         "columns": {"x": {"missing": "drop"}, "older": {"missing": "mean"}}},
       "dialect": {"delimiter": ",", "quote": "\\"", "header": true, "decimal": ".", "thousands": null, "comment": null},
       "schema": [{"name": "x", "type": "real"}, {"name": "note", "type": "text"}, {"name": "y", "type": "real"}],
       "target": {"name": "y"},
       "fitted": [{"name": "x", "transformations": []}, {"name": "older", "fill": 8.5, "transformations": []}]}
      """
    struct Request: Encodable { let folder: String, preparation: String }
    let _: Int = try Python.value(
      """
      import json, sys
      import numpy as np
      from safetensors.numpy import save_file
      r = json.load(sys.stdin)
      save_file({"layers.0.weight": np.array([[2, 0.5]], np.float32), "layers.0.bias": np.ones(1, np.float32)},
          r["folder"] + "/model.safetensors", {"format": "apus-model-1", "kind": "linear", "activation": "relu",
          "loss": "squared", "classes": "[]", "columns": json.dumps(["x", "older"]), "target": "y",
          "preparation": r["preparation"], "normalization": json.dumps({"scale": 1, "means": None, "scales": None})})
      print(0)
      """, json: Request(folder: folder.path, preparation: preparation))
    func x(_ row: Int) -> Double? { row % 11 == 4 ? nil : Double(row % 97) / 4 }
    expected = (0..<Self.rows).map { row in
      guard let value = x(row) else { return nil }
      return 2 * value + 0.5 * (row < 700 ? 8.5 : x(row - 700) ?? 8.5) + 1
    }
    try folder.write(text: Self.table { row in x(row).map { "\($0)" } ?? "" }, to: "raw.csv")
  }

  private static func table(_ x: (Int) -> String) -> String {
    var text = "note,x,y\n"
    for row in 0..<rows {
      let looksLikeRows = String(repeating: "\nn,\(row),2\n", count: 40 + row % 5)
      text += "\"a \"\"\(row)\"\",\(looksLikeRows)\",\(x(row)),\(row % 10)\n"
    }
    return text
  }

  /// 0 ranks is a run without MPI.
  private func run(_ arguments: [String], ranks: Int) throws -> RunResult {
    guard ranks > 0 else { return try Run.program(Binaries.apus, arguments, workingDirectory: folder.path) }
    return try MPILauncher.run(ranks: ranks, Binaries.apus, arguments, workingDirectory: folder.path)
  }

  @Test func everyRankReadsItsParts() throws {
    try #require(try folder.read("raw.csv").count > 3 << 20)
    var report: String?
    for ranks in 0...4 {
      let predicted = try run(
        ["predict", "model.safetensors", "raw.csv", "--output", "out-\(ranks).csv"], ranks: ranks)
      #expect(predicted.exitCode == 0, "\(predicted)")
      #expect(try folder.read("out-\(ranks).csv") == folder.read("out-0.csv"), "on \(ranks) ranks")
      let judged = try run(["evaluate", "model.safetensors", "raw.csv", "--json"], ranks: ranks)
      #expect(judged.exitCode == 0, "\(judged)")
      #expect(judged.standardOutput == report ?? judged.standardOutput, "on \(ranks) ranks")
      report = judged.standardOutput
    }
    let found = try folder.readText("out-0.csv").split(separator: "\n", omittingEmptySubsequences: false).dropFirst()
    #expect(found.dropLast().map { Double($0) } == expected)
    struct Report: Decodable { let rows: Int }
    let judged = (0..<Self.rows).count { $0 % 11 != 4 && $0 % 97 > 40 }
    #expect(try JSONDecoder().decode(Report.self, from: Data((report ?? "").utf8)).rows == judged)
  }

  /// The first mistake of the table is told once, with its place, whichever rank meets it; no file is left.
  @Test(arguments: [0, 2, 4]) func theFirstMistakeIsTold(ranks: Int) throws {
    try folder.write(
      text: Self.table { row in row == 7_001 ? "far" : row == 8_900 ? "further" : "\(row % 50)" }, to: "raw.csv")
    let line = 2 + (0..<7_001).reduce(0) { $0 + 2 * (40 + $1 % 5) + 1 } + 2 * (40 + 7_001 % 5)
    for command in [
      ["predict", "model.safetensors", "raw.csv", "--output", "out.h5"], ["evaluate", "model.safetensors", "raw.csv"],
    ] {
      let result = try run(command, ranks: ranks)
      #expect(result.exitCode == 65, "\(result)")
      #expect(result.standardError.contains("apus: raw.csv:\(line):3: column 'x': 'far' is not a number"), "\(result)")
      #expect(result.errorLines.count { $0.hasPrefix("apus:") } == 1, "\(result)")
    }
    #expect(try folder.names().sorted() == ["model.safetensors", "raw.csv"])
  }

  /// A compressed table gives what the table gives.
  @Test func compressedTables() throws {
    let _: Int = try Python.value(
      """
      import gzip, sys
      open(sys.argv[1] + "/raw.csv.gz", "wb").write(gzip.compress(open(sys.argv[1] + "/raw.csv", "rb").read(), 1))
      print(0)
      """, [folder.path])
    for (data, ranks) in [("raw.csv", 0), ("raw.csv.gz", 3)] {
      let result = try run(
        ["predict", "model.safetensors", data, "--output", "\(ranks).h5"], ranks: ranks)
      #expect(result.exitCode == 0, "\(result)")
    }
    #expect(try folder.read("3.h5") == folder.read("0.h5"))
  }
}
