import Foundation
import TestSupport
import Testing

/// How recipes split the rows of real tables and drop those that repeat, compared with pandas.
@Suite(.enabled(if: Python.isAvailable)) struct PandasSplitTests {
  let folder: TemporaryDirectory

  init() throws { folder = try TemporaryDirectory("splits") }

  private static let electricity = PackageRoot.file("Datasets/electricity/electricity.csv.gz")

  /// Prepares a table on 1 to 4 ranks, which must give the same bytes; says what the first run printed.
  private func prepare(_ table: String, _ recipe: String) throws -> String {
    try folder.write(text: recipe, to: "prepare.json")
    var said = ""
    for ranks in 1...4 {
      let result = try CommandLineRun.succeed(
        [
          "prepare", table, "--recipe", "prepare.json", "--output", "data-\(ranks)", "--shards",
          "3",
        ], ranks: ranks,
        in: folder)
      if ranks == 1 { said = result.standardOutput }
      for name in try folder.names(in: "data-1") {
        #expect(
          try folder.read("data-\(ranks)/\(name)") == folder.read("data-1/\(name)"),
          "\(name) on \(ranks)")
      }
    }
    return said
  }

  /// What `script` says is wrong of the columns `x` and targets `y` of each split, with `data` read by pandas.
  private func wrong(_ table: String, _ script: String) throws -> [String] {
    try Python.value(
      """
      import json, sys
      import h5py, numpy, pandas
      data = pandas.read_csv(sys.argv[1])
      meta = json.load(open("data-1/dataset.json"))
      names, x, y, wrong = meta["features"]["columns"], {}, {}, []
      for split, content in meta["splits"].items():
          shards = [h5py.File(f"data-1/{shard['file']}") for shard in content["shards"]]
          x[split] = pandas.DataFrame(numpy.concatenate([s["features"][:] for s in shards]), columns=names)
          y[split] = numpy.concatenate([s["targets"][:] for s in shards])
      \(script)
      print(json.dumps(wrong))
      """, [table], workingDirectory: folder.path)
  }

  /// All rows with one value of the group are in one split, and about as many rows in each as asked for.
  @Test func groups() throws {
    try folder.write(
      text: "patient,dose,effect\n"
        + (0..<3000).map { "p\($0 * 7919 % 173),\($0 % 31),\($0 % 13)\n" }.joined(),
      to: "visits.csv")
    _ = try prepare(
      "visits.csv",
      #"{ target: "effect", task: "regression", split: { group: "patient", test: 0.2, validation: 0.1 }, columns: { patient: { transform: "ordinal", type: "category", unseen: "ignore" } } }"#
    )
    let found = try wrong(
      "visits.csv",
      """
      order = sorted(set(data["patient"].iloc[[i for i in range(len(data))]]))
      seen = {name: set() for name in x}
      key = lambda frame, values: sorted(zip(frame["dose"], values))
      for name in x: seen[name] = set(x[name]["patient"].astype(int)) - {-1}
      # Patients of other splits than training are none of the categories, so rows are matched by patient in pandas.
      known = fitted = meta["preparation"]["fitted"][0]["transformations"][0]["categories"]
      train = data[data["patient"].isin(known)]
      if sorted(x["train"]["patient"].astype(int).unique()) != list(range(len(known))): wrong.append("categories")
      if key(x["train"], y["train"].tolist()) != sorted(zip(train["dose"].astype(float), train["effect"].astype(float))): wrong.append("training has rows of other patients, or lacks some of its own")
      for name in ("validation", "test"):
          if (x[name]["patient"] != -1).any(): wrong.append(name + " has patients of the training")
      rest = data[~data["patient"].isin(known)]
      others = sorted(list(zip(x["test"]["dose"], y["test"].tolist())) + list(zip(x["validation"]["dose"], y["validation"].tolist())))
      if others != sorted(zip(rest["dose"].astype(float), rest["effect"].astype(float))): wrong.append("rows lost")
      sizes = {}
      for name in x:
          if not 0.3 < len(x[name]) / len(data) / {"train": 0.7, "validation": 0.1, "test": 0.2}[name] < 1.8: wrong.append(f"{name} has {len(x[name])} rows")
      """)
    #expect(found.isEmpty, "\(found)")
  }

  /// The rows by time as pandas sorts them, equal times in the order of the table.
  @Test func time() throws {
    _ = try prepare(
      Self.electricity,
      #"{ target: "nswprice", task: "regression", ignore: ["class"], split: { time: "period", test: 0.2, validation: 0.1 } }"#
    )
    let found = try wrong(
      Self.electricity,
      """
      sorted_rows = data.reset_index().sort_values(["period", "index"])
      n = len(data)
      train, validation = round(0.7 * n), round(0.1 * n)
      ends = {"train": (0, train), "validation": (train, train + validation), "test": (train + validation, n)}
      for name, (first, last) in ends.items():
          if abs(len(x[name]) - (last - first)) > 1: wrong.append(f"{name} has {len(x[name])} rows"); continue
          first = {"train": 0, "validation": len(x["train"]), "test": len(x["train"]) + len(x["validation"])}[name]
          # Within a split the rows stand as in the table.
          rows = sorted_rows.iloc[first:first + len(x[name])].sort_values("index")
          if not (rows["nswprice"].to_numpy().astype("f4") == y[name]).all(): wrong.append(f"{name} has other rows")
          if not (rows["period"].to_numpy().astype("f4") == x[name]["period"].to_numpy()).all(): wrong.append(f"{name} has other times")
      """)
    #expect(found.isEmpty, "\(found)")
  }

  /// Of rows that are equal in all columns the first stays, wherever ranks and blocks begin; the summary says how many went.
  @Test func repeatedRows() throws {
    let rows = (0..<4000).map { "\($0 * $0 % 97),\($0 % 3 == 0 ? "a" : "b"),\($0 % 5)\n" }
    try folder.write(text: "m,k,y\n" + rows.joined(), to: "again.csv")
    let said = try prepare(
      "again.csv", #"{ target: "y", task: "regression", duplicates: "drop", split: { test: 0 } }"#)
    let found = try wrong(
      "again.csv",
      """
      once = data.drop_duplicates()
      if len(once) != len(x["train"]): wrong.append(f"{len(x['train'])} rows, pandas keeps {len(once)}")
      elif not (once["y"].to_numpy() == y["train"]).all() or not (once["m"].to_numpy() == x["train"]["m"]).all(): wrong.append("other rows, or another order")
      open("gone", "w").write(f"{len(data) - len(once):,} rows left out because they repeat another")
      """)
    #expect(found.isEmpty, "\(found)")
    #expect(said.contains(try folder.readText("gone")), "\(said)")
  }

  /// What was malformed, filled and left out is said with numbers, on any number of ranks.
  @Test func theSummarySaysWhatWasDone() throws {
    let rows = (0..<1000).map { row in
      "\(row % 10 == 0 ? "x" : "\(row)"),\(row % 20 == 5 ? "" : "2"),\(row % 4),\(row % 7 == 0 ? -1 : 1)\n"
    }
    try folder.write(text: "a,b,y,z\n" + rows.joined(), to: "holes.csv")
    let recipe = #"""
      { target: "y", task: "regression", filter: "z > 0", columns: { a: { type: "real", malformed: "missing", missing: "mean" }, b: { missing: "drop" } } }
      """#
    let said = try prepare("holes.csv", recipe)
    for line in [
      "100 values of 'a' malformed and taken for missing",
      "143 rows left out by the filter 'z > 0'",
      "rows left out for want of 'b'", "values of 'a' filled with the mean",
    ] {
      #expect(said.contains(line), "no '\(line)'\n\(said)")
    }
    // A dry run says what comes out.
    let plan = try CommandLineRun.succeed(
      ["prepare", "holes.csv", "--recipe", "prepare.json", "--dry-run"], ranks: 3, in: folder
    ).standardOutput
    let counted = try #require(
      said.split(separator: "\n").first { $0.contains("rows of 3 features") })
    #expect(plan.contains(counted.split(separator: ";")[0]), "\(plan)")
    for line in said.split(separator: "\n") where line.hasPrefix("  ") && line.contains("'") {
      #expect(plan.contains(line), "no '\(line)'\n\(plan)")
    }
  }
}
