import Foundation
import TestSupport
import Testing

/// What recipes make of tables and what groups are counted, compared with pandas.
@Suite(.enabled(if: Python.isAvailable)) struct PandasTableTests {
  let folder: TemporaryDirectory

  init() throws { folder = try TemporaryDirectory("pandas") }

  private static func table(_ name: String) -> String {
    PackageRoot.file("Datasets/\(name.split(separator: ".")[0])/\(name)")
  }

  // MARK: Groups

  private struct Groups: Encodable {
    var table: String
    var by: String
    var aggregates: [String] = []
    /// Beside 1.
    var ranks = [3]
    var json = ""
    var csv = ""
  }

  private static let groups = [
    Groups(
      table: "digits.csv", by: "digit",
      aggregates: ["mean:pixel_3_3", "max:pixel_0_4", "sum:pixel_5_5"]),
    Groups(
      table: "diabetes.csv", by: "sex",
      aggregates: ["mean:progression", "min:bmi", "max:s4", "sum:s5"]),
    Groups(
      table: "penguins.csv", by: "species,island,sex",
      aggregates: ["mean:body_mass_g", "min:bill_length_mm"],
      ranks: [2, 3, 4]),
    Groups(
      table: "penguins.csv", by: "flipper_length_mm",
      aggregates: ["sum:body_mass_g", "mean:bill_depth_mm"]),
    Groups(
      table: "diamonds.csv.gz", by: "cut,color,clarity",
      aggregates: ["mean:price", "sum:carat", "max:depth"],
      ranks: [2]),
    Groups(
      table: "electricity.csv.gz", by: "period,class",
      aggregates: ["mean:nswprice", "min:transfer"], ranks: [4]),
  ]

  /// The same on any number of ranks, and what pandas says; which takes longer to start than to compare.
  @Test func groups() throws {
    var cases: [Groups] = []
    for var groups in Self.groups {
      groups.table = Self.table(groups.table)
      var arguments = ["prepare", groups.table, "--count-by", groups.by]
      for aggregate in groups.aggregates { arguments += ["--aggregate", aggregate] }
      groups.json =
        try CommandLineRun.succeed(arguments + ["--format", "json"], ranks: 1, in: folder)
        .standardOutput
      for ranks in groups.ranks {
        let again = try CommandLineRun.succeed(
          arguments + ["--format", "json"], ranks: ranks, in: folder)
        #expect(again.standardOutput == groups.json, "\(groups.table) on \(ranks) ranks")
      }
      groups.csv = try CommandLineRun.succeed(
        arguments + ["--format", "csv"], ranks: 2, in: folder
      ).standardOutput
      cases.append(groups)
    }
    let wrong: [String] = try Python.value(
      """
      import io, json, math, sys
      import pandas
      wrong = []
      none = lambda value: None if value is None or (isinstance(value, float) and math.isnan(value)) else value
      for case in json.load(sys.stdin):
          table, by, aggregates = case["table"], case["by"].split(","), case["aggregates"]
          data = pandas.read_csv(table, float_precision="round_trip")
          groups = data.groupby(by, dropna=False, sort=True)
          expected = groups.size().rename("count").reset_index()
          for text in aggregates:
              what, column = text.split(":")
              expected[f"{what}_{column}"] = getattr(groups[column], what)().values
          found = json.loads(case["json"])
          again = pandas.read_csv(io.StringIO(case["csv"]), float_precision="round_trip")
          names = list(expected.columns)
          if len(found) != len(expected) or len(again) != len(expected) or list(again.columns) != names: wrong.append(f"{table} by {by}: {len(found)} groups, pandas says {len(expected)}")
          for place, (one, row) in enumerate(zip(found, expected.itertuples(index=False))):
              if list(one) != names: wrong.append(f"{list(one)}")
              for name, value in zip(names, row):
                  for text in (none(one[name]), none(again[name][place])):
                      value = none(value)
                      same = text == value or (None not in (text, value) and name.startswith(("mean_", "sum_")) and abs(text - value) <= 1e-12 * abs(value))
                      if not same: wrong.append(f"{table} by {by}, group {place} {name}: {text}, pandas says {value}")
      print(json.dumps(wrong[:20]))
      """, json: cases, workingDirectory: folder.path)
    #expect(wrong.isEmpty, "\(wrong.joined(separator: "\n"))")
  }

  @Test func groupsOfLargeNumbersStayApart() throws {
    try folder.write(
      text: "id\n9007199254740993\n9007199254740992\n9007199254740993\n", to: "ids.csv")
    let found = try CommandLineRun.succeed(
      ["prepare", "ids.csv", "--count-by", "id", "--format", "csv"], ranks: 2, in: folder)
    #expect(found.standardOutput == "id,count\n9007199254740992,1\n9007199254740993,2\n")
  }

  @Test(arguments: [
    (["--count-by", "isle"], 64, "there is no column 'isle'\n"),
    (["--count-by", "sex,sex"], 64, "names a column twice"),
    (
      ["--count-by", "sex", "--aggregate", "mean:island"], 64,
      "mean:island: the column is category, not numbers"
    ),
    (
      ["--count-by", "sex", "--aggregate", "median:bill_length_mm"], 64,
      "unknown function for --aggregate: 'median'"
    ),
    (["--aggregate", "mean:bill_length_mm"], 64, "--aggregate goes with --count-by"),
    (["--count-by", "sex", "--aggregate", "mean"], 64, "a function and a column, as mean:price"),
  ]) func refusedGroups(arguments: [String], code: Int32, words: String) throws {
    try CommandLineRun.fail(
      ["prepare", Self.table("penguins.csv")] + arguments, ranks: 2, in: folder, code: code,
      says: [words.trimmingCharacters(in: .newlines)])
  }

  // MARK: Filled values

  /// Every way to fill a hole, fitted on all rows, on each number of ranks with the same bytes.
  @Test(arguments: ["mean", "median", "most_frequent", "constant"]) func filledValues(way: String)
    throws
  {
    let fill = way == "constant" ? ", fill: -1.5" : ""
    let columns = ["bill_length_mm", "bill_depth_mm", "flipper_length_mm", "body_mass_g"]
    let settings = columns.map { "\($0): { missing: \"\(way)\"\(fill), indicator: true }" }.joined(
      separator: ", ")
    let sex =
      way == "constant" ? "missing: \"constant\", fill: \"?\"" : "missing: \"most_frequent\""
    try folder.write(
      text: """
        { target: "species", columns: { \(settings), sex: { \(sex) } }, split: { test: 0 } }
        """, to: "prepare.json")
    for ranks in 1...4 {
      try CommandLineRun.succeed(
        [
          "prepare", Self.table("penguins.csv"), "--recipe", "prepare.json", "--output",
          "data-\(ranks)", "--shards",
          "3",
        ],
        ranks: ranks, in: folder)
    }
    for name in try folder.names(in: "data-1") {
      for ranks in 2...4 {
        #expect(
          try folder.read("data-\(ranks)/\(name)") == folder.read("data-1/\(name)"),
          "\(name) on \(ranks)")
      }
    }
    let wrong: [String] = try Python.value(
      """
      import json, sys
      import h5py, numpy, pandas
      table, way = sys.argv[1:]
      meta = json.load(open("data-1/dataset.json"))
      shards = [h5py.File(f"data-1/{shard['file']}") for shard in meta["splits"]["train"]["shards"]]
      x = numpy.concatenate([shard["features"][:] for shard in shards])
      y = numpy.concatenate([shard["targets"][:] for shard in shards])
      data = pandas.read_csv(table)
      numbers = ["bill_length_mm", "bill_depth_mm", "flipper_length_mm", "body_mass_g"]
      expected = {}
      for name in numbers:
          column = data[name]
          fill = {"mean": column.mean(), "median": column.median(), "most_frequent": column.mode()[0], "constant": -1.5}[way]
          expected[name] = column.fillna(fill)
          expected[f"{name}_missing"] = column.isna().astype(float)
      data["sex"] = data["sex"].fillna("?" if way == "constant" else data["sex"].mode()[0])
      for name in ("island", "sex"):
          for value in sorted(data[name].unique()): expected[f"{name}_{value}"] = (data[name] == value).astype(float)
      wrong = []
      if sorted(expected) != sorted(meta["features"]["columns"]): wrong.append(f"{meta['features']['columns']}, pandas says {list(expected)}")
      for place, name in enumerate(meta["features"]["columns"]):
          if name in expected and not (x[:, place] == expected[name].to_numpy().astype("f4")).all(): wrong.append(name)
      classes = sorted(data["species"].unique())
      if meta["target"]["classes"] != classes or not (y == data["species"].map(classes.index)).all(): wrong.append("species")
      print(json.dumps(wrong))
      """, [Self.table("penguins.csv"), way], workingDirectory: folder.path)
    #expect(wrong.isEmpty, "\(wrong.joined(separator: "\n"))")
  }
}
