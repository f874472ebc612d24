import Foundation
import TestSupport
import Testing

/// `apus prepare` through the command: what it leaves, as h5py and h5dump read it.
@Suite(.enabled(if: Python.isAvailable)) struct PrepareCommandTests {
  let folder: TemporaryDirectory

  init() throws { folder = try TemporaryDirectory("prepare") }

  private func prepare(
    _ table: String, _ more: [String], ranks: Int = 2, sourceLocation: SourceLocation = #_sourceLocation
  ) throws -> RunResult {
    try CommandLineRun.succeed(["prepare", table] + more, ranks: ranks, in: folder, sourceLocation: sourceLocation)
  }

  private static let digits = PackageRoot.file("Datasets/digits/digits.csv")
  private static let diabetes = PackageRoot.file("Datasets/diabetes/diabetes.csv")

  /// What a data set holds, compared with its table by numpy.
  private struct Contents: Decodable, Equatable {
    /// Rows of each split.
    let rows: [String: Int]
    /// Every row of the table is in one split, once, with its values and its target.
    let isComplete: Bool
    let filters: [String]
    /// The largest difference of the means and scales in `dataset.json` from those of the training rows; nil without any.
    let momentError: Double?
    /// The largest difference between splits of a class's share of the rows; 0 for a regression.
    let shareError: Double
  }

  private func contents(_ data: String, of table: String, target: String) throws -> Contents {
    try Python.value(
      """
      import csv, h5py, json, sys, numpy as np
      data, table, target = sys.argv[1:]
      meta = json.load(open(f"{data}/dataset.json"))
      rows, splits, filters = {}, {}, set()
      for name, split in meta["splits"].items():
          x, y = [], []
          for shard in split["shards"]:
              with h5py.File(f"{data}/{shard['file']}") as file:
                  assert len(file["features"]) == len(file["targets"]) == shard["rows"]
                  x.append(file["features"][:]); y.append(file["targets"][:])
                  for set_ in file["features"], file["targets"]:
                      filters |= {f for f, used in (("fletcher32", set_.fletcher32), ("shuffle", set_.shuffle), ("gzip", set_.compression == "gzip")) if used}
          splits[name] = np.concatenate(x), np.concatenate(y)
          rows[name] = len(splits[name][0])
          assert splits[name][0].dtype == np.float32
      classes = meta["target"].get("classes")
      found = sorted((tuple(a), classes[b] if classes else float(b)) for x, y in splits.values() for a, b in zip(x.tolist(), y.tolist()))
      with open(table) as file:
          read = list(csv.DictReader(file))
      columns = [c for c in read[0] if c != target]
      assert columns == meta["features"]["columns"] and target == meta["target"]["name"]
      wanted = sorted((tuple(float(np.float32(r[c])) for c in columns), r[target] if classes else float(np.float32(r[target]))) for r in read)
      error = None
      for change in meta["transformations"]:
          x = splits["train"][0].astype("f8")
          scales = x.std(axis=0); scales[scales == 0] = 1
          error = max(np.abs(x.mean(axis=0) - change["means"]).max(), np.abs(scales / change["scales"] - 1).max())
      share = 0.0
      if classes:
          shares = [np.bincount(y, minlength=len(classes)) / len(y) for _, y in splits.values()]
          share = max(float(np.abs(a - b).max()) for a in shares for b in shares)
      print(json.dumps(dict(rows=rows, isComplete=found == wanted, filters=sorted(filters), momentError=error, shareError=share)))
      """, [data, table, target], workingDirectory: folder.path)
  }

  @Test func digits() throws {
    let result = try prepare(
      Self.digits,
      [
        "--target", "digit", "--output", "digits", "--standardize", "--compress", "--shards", "3", "--validation",
        "0.1",
      ])
    #expect(
      result.outputLines.first
        == "classification: 10 different whole numbers in 1797 rows; --task regression predicts the number instead")
    #expect(result.standardOutput.contains("1,797 rows of 64 features"), "\(result)")
    let found = try contents("digits", of: Self.digits, target: "digit")
    #expect(found.isComplete && found.filters == ["fletcher32", "gzip", "shuffle"])
    #expect(found.rows.values.reduce(0, +) == 1797 && found.rows.keys.sorted() == ["test", "train", "validation"])
    #expect(try #require(found.momentError) < 1e-9 && found.shareError < 0.02)
    #expect(
      try folder.names(in: "digits") == [
        "dataset.json", "test-00000-of-00001.h5", "train-00000-of-00003.h5", "train-00001-of-00003.h5",
        "train-00002-of-00003.h5",
        "validation-00000-of-00001.h5",
      ])
  }

  @Test func diabetes() throws {
    _ = try prepare(Self.diabetes, ["--target", "progression", "--output", "diabetes", "--test", "0.25"])
    let found = try contents("diabetes", of: Self.diabetes, target: "progression")
    #expect(
      found == Contents(rows: found.rows, isComplete: true, filters: ["fletcher32"], momentError: nil, shareError: 0))
    #expect(abs(Double(found.rows["test"] ?? 0) - 442 * 0.25) <= 1)
  }

  /// The same bytes on any number of ranks.
  @Test func ranksDoNotMatter() throws {
    for ranks in [0, 1, 3] {
      _ = try prepare(
        Self.diabetes, ["--target", "progression", "--output", "on-\(ranks)", "--shards", "2", "--standardize"],
        ranks: ranks)
    }
    for name in try folder.names(in: "on-0") {
      let bytes = try folder.read("on-0/\(name)")
      #expect(try folder.read("on-1/\(name)") == bytes && folder.read("on-3/\(name)") == bytes, "\(name)")
    }
  }

  /// A compressed table makes the same data set, whatever its name.
  @Test func compressedTables() throws {
    let whole = ["--target", "progression", "--output"]
    _ = try Run.shell(
      "head -n 200 '\(Self.diabetes)' >a.csv; (head -n 1 '\(Self.diabetes)'; tail -n +201 '\(Self.diabetes)') | gzip >b; gzip a.csv",
      workingDirectory: folder.path)
    _ = try prepare(Self.diabetes, whole + ["plain"])
    try CommandLineRun.succeed(["prepare", "a.csv.gz", "b"] + whole + ["packed"], ranks: 3, in: folder)
    for name in try folder.names(in: "plain") where name.hasSuffix(".h5") {
      #expect(try folder.read("packed/\(name)") == folder.read("plain/\(name)"), "\(name)")
    }
    let bytes = try folder.read("a.csv.gz")
    try folder.write(bytes.dropLast(9), to: "cut.csv.gz")
    try CommandLineRun.fail(
      ["prepare", "b", "cut.csv.gz"] + whole + ["cut"], ranks: 2, in: folder, code: 65,
      says: ["cannot read 'cut.csv.gz': the gzip data end in the middle"])
    #expect(!folder.contains("cut"))
  }

  /// The summary says how many rows and bytes a second were read, also of those that were left out.
  @Test func ratesAreReported() throws {
    try folder.write(text: "a,t\n" + (0..<1_000).map { "\($0 % 10 == 0 ? "" : "\($0)"),1.5\n" }.joined(), to: "in.csv")
    let result = try prepare("in.csv", ["--target", "t", "--missing", "drop", "--output", "out"], ranks: 2)
    let text = result.standardOutput
    let found = try #require(
      text.firstMatch(of: /(\S+ \S+) read, \S+ \S+ written in (\S+) (s|ms) \(([0-9,]+) rows\/s, (\S+) (\S+)\/s\)/),
      "\(text)")
    let seconds = (Double(found.2) ?? 0) * (found.3 == "ms" ? 0.001 : 1)
    let rows = Double(found.4.filter { $0 != "," }) ?? 0
    // The seconds are printed with two or three digits.
    #expect(abs(rows * seconds / 1_000 - 1) < 0.2, "\(text)")
    #expect(text.contains("900 rows of 1 feature") && text.contains("100 rows with missing values"), "\(text)")
  }

  @Test func h5dumpReadsTheShards() throws {
    _ = try prepare(Self.diabetes, ["--target", "progression", "--output", "data", "--compress"])
    let dump = try Run.program("h5dump", ["-p", "-H", folder.file("data/train-00000-of-00001.h5")])
    #expect(dump.exitCode == 0, "\(dump)")
    for word in [
      "DATASET \"features\"", "H5T_IEEE_F32LE", "( 354, 10 )", "CHECKSUM FLETCHER32", "PREPROCESSING SHUFFLE",
      "DEFLATE",
    ] {
      #expect(dump.standardOutput.contains(word), "\(dump)")
    }
    // Every value comes through the filters.
    let values = try Run.program("h5dump", ["-d", "/features", "-w", "0", folder.file("data/train-00000-of-00001.h5")])
    #expect(values.exitCode == 0 && values.standardOutput.contains("(353,0): "))
  }

  // MARK: Refusals

  @Test func theOldDataSetStays() throws {
    let arguments = ["prepare", Self.diabetes, "--target", "progression", "--output", "data"]
    try CommandLineRun.succeed(arguments, ranks: 2, in: folder)
    let shard = try folder.read("data/train-00000-of-00001.h5")
    try CommandLineRun.fail(
      arguments + ["--seed", "2"], ranks: 3, in: folder, code: 73,
      says: ["apus: 'data' exists already\n  hint: --overwrite replaces it"])
    #expect(try folder.read("data/train-00000-of-00001.h5") == shard)
    // What goes wrong later keeps it too.
    try CommandLineRun.fail(
      ["prepare", Self.diabetes, "--target", "progresion", "--output", "data", "--overwrite"], ranks: 3, in: folder,
      code: 65,
      says: ["diabetes.csv:1:1: there is no target 'progresion'", "progression"])
    #expect(try folder.read("data/train-00000-of-00001.h5") == shard)
    try CommandLineRun.succeed(arguments + ["--seed", "2", "--overwrite"], ranks: 2, in: folder)
    #expect(try folder.read("data/train-00000-of-00001.h5") != shard)
    #expect(try folder.names() == ["data"], "nothing is left beside it")
    // A folder that is no data set is never replaced.
    try folder.write(text: "precious", to: "data/notes.txt")
    try CommandLineRun.fail(
      arguments + ["--overwrite"], ranks: 0, in: folder, code: 73,
      says: ["'data' is not replaced: it holds 'notes.txt'"])
    #expect(try folder.readText("data/notes.txt") == "precious")
  }

  @Test(arguments: [
    ("a,y\n1,2\n3\n", 65, "bad.csv:3:"), ("a,y\n1,x\n2,\"y\n", 65, "bad.csv:3:"),
    ("a,y\nword,1\n2,3\n", 65, "bad.csv:2:1: "),
    ("", 65, "bad.csv"), ("a,a,y\n1,2,3\n", 65, "bad.csv:1:"),
    ("a,b\n1,2\n", 65, "bad.csv:1:1: there is no target 'y'"),
    ("a,y\n", 65, "bad.csv"),
  ])
  func badTables(_ text: String, _ code: Int32, _ words: String) throws {
    try folder.write(text: text, to: "bad.csv")
    try CommandLineRun.fail(
      ["prepare", "bad.csv", "--target", "y", "--output", "data"], ranks: 0, in: folder, code: code, says: [words])
    #expect(try folder.names() == ["bad.csv"])
  }

  @Test func inputsThatAreNone() throws {
    let rest = ["--target", "y", "--output", "data"]
    try CommandLineRun.fail(["prepare", "no.csv"] + rest, ranks: 3, in: folder, code: 66, says: ["'no.csv'"])
    try CommandLineRun.fail(
      ["prepare", "."] + rest, ranks: 0, in: folder, code: 66, says: ["'.' is a directory, not a CSV file"])
    let shard = BadInputFiles.shared.path("good/part-0.h5")
    try CommandLineRun.fail(["prepare", shard] + rest, ranks: 0, in: folder, code: 65, says: ["part-0.h5", "HDF5"])
    #expect(try folder.names().isEmpty)
  }
}
