import Foundation
import TestSupport
import Testing

/// `apus prepare --append`: rows added to a data set are treated as its own were.
@Suite(.enabled(if: Python.isAvailable)) struct AppendTests {
  private let folder: TemporaryDirectory

  init() throws { folder = try TemporaryDirectory("append") }

  private static let recipe = """
    { target: "price", task: "regression", split: { test: 0.25, group: "id" }, ignore: ["id"],
      columns: { size: { missing: "mean", indicator: true, transform: "standardize" },
                 colour: { unseen: "ignore", transform: "one_hot" } } }
    """

  /// Rows with holes; later ones have larger sizes and another colour.
  private func table(_ rows: Range<Int>, _ colours: [String]) -> String {
    "id,size,colour,price\n"
      + rows.map { row in
        "p\(row % 40),\(row % 11 == 3 ? "" : "\(row).5"),\(colours[row % colours.count]),\(row % 97)\n"
      }.joined()
  }

  private func start() throws {
    try folder.write(text: Self.recipe, to: "prepare.json")
    try folder.write(text: table(0..<200, ["red", "green"]), to: "first.csv")
    try folder.write(text: table(200..<500, ["red", "blue", "green"]), to: "second.csv")
    try CommandLineRun.succeed(
      ["prepare", "first.csv", "--recipe", "prepare.json", "--output", "data", "--shards", "2"], ranks: 2, in: folder)
  }

  /// The data set with the second table added is the same bytes on any number of ranks; its features are what numpy makes of the
  /// first table's means, deviations and colours.
  @Test func addedRowsAreTreatedAsTheOldOnes() throws {
    try start()
    let old = try folder.names(in: "data")
    for ranks in [0, 1, 2, 3, 4] {
      _ = try Run.shell("cp -r data data-\(ranks)", workingDirectory: folder.path)
      let result = try CommandLineRun.succeed(
        ["prepare", "second.csv", "--append", "--output", "data-\(ranks)", "--shards", "3"], ranks: ranks, in: folder)
      #expect(result.standardOutput.hasPrefix("added to 'data-\(ranks)', prepared as its rows were"), "\(result)")
      #expect(result.standardOutput.contains("values of 'size' filled with the mean"), "\(result)")
    }
    let names = try folder.names(in: "data-0")
    #expect(
      names == [
        "dataset.json", "test-00000-of-00001.h5", "test-00001-of-00002.h5", "train-00000-of-00002.h5",
        "train-00001-of-00002.h5", "train-00002-of-00005.h5", "train-00003-of-00005.h5", "train-00004-of-00005.h5",
      ])
    for name in names {
      let bytes = try folder.read("data-0/\(name)")
      for ranks in 1...4 { #expect(try folder.read("data-\(ranks)/\(name)") == bytes, "\(name) on \(ranks) ranks") }
      if old.contains(name), name != "dataset.json" { #expect(try folder.read("data/\(name)") == bytes, "\(name)") }
    }
    let wrong: [String] = try Python.value(
      """
      import csv, json
      import h5py, numpy as np
      meta = json.load(open("data-0/dataset.json"))
      before = json.load(open("data/dataset.json"))
      wrong = [] if {k: v for k, v in meta.items() if k != "splits"} == {k: v for k, v in before.items() if k != "splits"} else ["dataset.json says something else"]
      rows = lambda path: [r for r in csv.DictReader(open(path))]
      first, second = rows("first.csv"), rows("second.csv")
      def held(splits):
          found = {}
          for split in splits:
              files = [h5py.File(f"data-0/{s['file']}") for s in meta["splits"][split]["shards"]]
              found[split] = [np.concatenate([f[what][:] for f in files]) for what in ("features", "targets")]
              assert len(found[split][0]) == meta["splits"][split]["rows"]
          return found
      x = held(meta["splits"])
      # The split of each group is that of the first table.
      train = json.load(open("data/dataset.json"))["splits"]["train"]["rows"]
      columns = meta["features"]["columns"]
      assert columns == ["size", "size_missing", "colour_green", "colour_red"], columns
      fitted = {c["name"]: c for c in meta["preparation"]["fitted"]}
      mean, scale = fitted["size"]["transformations"][0]["centers"][0], fitted["size"]["transformations"][0]["scales"][0]
      fill = fitted["size"]["fill"]
      def made(row):
          size = fill if row["size"] == "" else float(row["size"])
          return (np.float32((size - mean) / scale), float(row["size"] == ""), float(row["colour"] == "green"), float(row["colour"] == "red"), np.float32(row["price"]))
      expected = sorted(made(r) for r in first + second)
      got = sorted(tuple(a.tolist()) + (b,) for f, t in x.values() for a, b in zip(f, t))
      close = len(expected) == len(got) and all(abs(a - b) <= 1e-6 * max(1, abs(a)) for e, g in zip(expected, got) for a, b in zip(e, g))
      if not close: wrong.append("other rows than numpy makes")
      groups = {}
      by = {}
      for r in first + second: by.setdefault(made(r), r["id"])
      print(json.dumps(wrong))
      """, [], workingDirectory: folder.path)
    #expect(wrong.isEmpty, "\(wrong)")
    // A second addition goes on behind the first.
    try CommandLineRun.succeed(["prepare", "first.csv", "--append", "--output", "data-0"], ranks: 2, in: folder)
    #expect(folder.contains("data-0/train-00005-of-00006.h5"))
    let trained = try CommandLineRun.succeed(["inspect", "data-0"], ranks: 0, in: folder)
    #expect(trained.standardOutput.contains("700"), "\(trained)")
  }

  /// Rows of one group are in the split that the group is in, also in a table that comes later.
  @Test func groupsStayTogether() throws {
    try folder.write(
      text:
        #"{ target: "y", task: "regression", split: { test: 0.3, group: "g" }, columns: { g: { type: "category", unseen: "ignore", transform: "ordinal" } } }"#,
      to: "prepare.json")
    func rows(_ groups: Range<Int>, _ marks: Range<Int>) -> String {
      "g,x,y\n"
        + marks.map { "g\(groups.lowerBound + $0 % groups.count),\(groups.lowerBound + $0 % groups.count),\($0)\n" }
        .joined()
    }
    try folder.write(text: rows(0..<30, 0..<300), to: "a.csv")
    try folder.write(text: rows(10..<50, 300..<700), to: "b.csv")
    try folder.write(text: rows(20..<60, 700..<1100), to: "c.csv")
    try CommandLineRun.succeed(
      ["prepare", "a.csv", "--recipe", "prepare.json", "--output", "data"], ranks: 2, in: folder)
    for table in ["b.csv", "c.csv"] {
      try CommandLineRun.succeed(["prepare", table, "--append", "--output", "data"], ranks: 3, in: folder)
    }
    let both: [Int] = try Python.value(
      """
      import json, h5py, numpy as np
      meta = json.load(open("data/dataset.json"))
      place = meta["features"]["columns"].index("x")
      groups = [set(np.concatenate([h5py.File(f"data/{s['file']}")["features"][:, place] for s in split["shards"]]).astype(int).tolist()) for split in meta["splits"].values()]
      print(json.dumps([len(groups[0] & groups[1]), len(groups[0] | groups[1]), min(map(len, groups))]))
      """, [], workingDirectory: folder.path)
    #expect(both[0] == 0 && both[1] == 60 && both[2] > 3, "\(both)")
  }

  /// Rows later than a border in time are behind it; a table whose rows are in time as they stand goes on at the end.
  @Test(arguments: [#"time: "t""#, "in_order: true"]) func timeGoesOn(split: String) throws {
    try folder.write(
      text: "{ target: \"y\", task: \"regression\", split: { test: 0.25, \(split) } }", to: "prepare.json")
    let shuffled = (0..<100).map { ($0 * 37) % 100 }
    let first = split.hasPrefix("time") ? shuffled : Array(0..<100)
    try folder.write(text: "t,y\n" + first.map { "\($0),\($0)\n" }.joined(), to: "a.csv")
    try folder.write(text: "t,y\n" + [101, 7, 74, 75, 300].map { "\($0),\($0)\n" }.joined(), to: "b.csv")
    try CommandLineRun.succeed(
      ["prepare", "a.csv", "--recipe", "prepare.json", "--output", "data"], ranks: 2, in: folder)
    try CommandLineRun.succeed(["prepare", "b.csv", "--append", "--output", "data"], ranks: 2, in: folder)
    let found: [String: [Int]] = try Python.value(
      """
      import json, h5py, numpy as np
      meta = json.load(open("data/dataset.json"))
      print(json.dumps({name: np.concatenate([h5py.File(f"data/{s['file']}")["targets"][:] for s in split["shards"]]).astype(int).tolist() for name, split in meta["splits"].items()}))
      """, [], workingDirectory: folder.path)
    let isByTime = split.hasPrefix("time")
    #expect(found["train"] == first.filter { $0 < 75 } + (isByTime ? [7, 74] : []))
    #expect(found["test"] == first.filter { $0 >= 75 } + (isByTime ? [101, 75, 300] : [101, 7, 74, 75, 300]))
  }

  /// A data set of a table as it is, without a recipe.
  @Test func plainDataSets() throws {
    try folder.write(
      text: "a,b,kind\n" + (0..<50).map { "\($0),\($0 * 2),\($0 % 5 == 0 ? "x" : "y")\n" }.joined(), to: "a.csv")
    try folder.write(
      text: "kind,b,a\n" + (50..<70).map { "\($0 % 2 == 0 ? "x" : "y"),\($0 * 2),\($0)\n" }.joined(), to: "b.csv")
    try CommandLineRun.succeed(
      ["prepare", "a.csv", "--target", "kind", "--output", "data", "--standardize"], ranks: 2, in: folder)
    let result = try CommandLineRun.succeed(["prepare", "b.csv", "--append", "--output", "data"], ranks: 2, in: folder)
    #expect(result.standardOutput.contains("20 rows of 2 features"), "\(result)")
    let wrong: [String] = try Python.value(
      """
      import json, h5py, numpy as np
      meta = json.load(open("data/dataset.json"))
      rows = []
      for split in meta["splits"].values():
          for s in split["shards"]:
              with h5py.File(f"data/{s['file']}") as f: rows += [(*a, b) for a, b in zip(f["features"][:].tolist(), f["targets"][:].tolist())]
      expected = [(float(i), 2.0 * i, int(i % 5 != 0) if i < 50 else i % 2) for i in range(70)]
      print(json.dumps([] if sorted(rows) == expected and len(meta["transformations"]) == 1 else [str(sorted(rows))]))
      """, [], workingDirectory: folder.path)
    #expect(wrong.isEmpty, "\(wrong)")
  }

  @Test func refusals() throws {
    try start()
    let append = ["--append", "--output", "data"]
    func fails(_ table: String, _ arguments: [String], _ code: Int32, _ words: String) throws {
      try folder.write(text: table, to: "new.csv")
      let before = try folder.names(in: "data")
      try CommandLineRun.fail(["prepare", "new.csv"] + arguments, ranks: 2, in: folder, code: code, says: [words])
      #expect(try folder.names(in: "data") == before)
      #expect(!folder.contains(".data.incomplete"))
    }
    try fails("id,size,colour\np1,2,red\n", append, 65, "'price'")
    try fails(
      "id,size,colour,price,more\np1,2,red,3,4\n", append, 65,
      "new.csv:1:22: column 'more' is none of those that 'data' was made from")
    try fails("id,size,colour,price\np1,two,red,3\n", append, 65, "new.csv:2:4: ")
    try fails("id,size,colour,price\n", append, 65, "no row is left of the table")
    try fails(
      "id,size,colour,price\np1,2,red,3\n", ["--append", "--output", "none"], 66, "there is no data set 'none'")
    try fails("id,size,colour,price\np1,2,red,3\n", append + ["--missing", "drop"], 64, "cannot change the recipe")
    try fails(
      "id,size,colour,price\np1,2,red,3\n", append + ["--target", "price"], 64, "--target does not go with --append")
    try CommandLineRun.succeed(
      ["generate", "linear", "--rows", "10", "--columns", "2", "--output", "made"], ranks: 0, in: folder)
    try fails("x1,x2,y\n1,2,3\n", ["--append", "--output", "made"], 64, "'made' is synthetic")
    // Classes and, where the recipe says so, categories that are new.
    try folder.write(text: "a,kind\n1,x\n2,y\n3,x\n4,y\n", to: "a.csv")
    try CommandLineRun.succeed(["prepare", "a.csv", "--target", "kind", "--output", "kinds"], ranks: 0, in: folder)
    try fails(
      "a,kind\n1,z\n", ["--append", "--output", "kinds"], 65,
      "new.csv:2:3: column 'kind': the value is none of the classes")
    try folder.write(text: #"{ target: "y", task: "regression" }"#, to: "strict.json")
    try folder.write(text: "c,y\n" + (0..<20).map { "\($0 % 2 == 0 ? "u" : "v"),\($0)\n" }.joined(), to: "c.csv")
    try CommandLineRun.succeed(
      ["prepare", "c.csv", "--recipe", "strict.json", "--output", "strict"], ranks: 2, in: folder)
    try fails(
      "c,y\nu,1\nw,2\n", ["--append", "--output", "strict"], 65,
      "new.csv:3:1: column 'c': the category 'w' does not occur")
  }

  /// Killed while it adds, the old data set is what it was, and the next addition works.
  @Test func killedHalfWay() throws {
    try folder.write(text: "a,b,y\n1,2,0\n3,4,1\n5,6,0\n7,8,1\n", to: "small.csv")
    try CommandLineRun.succeed(["prepare", "small.csv", "--target", "y", "--output", "data"], ranks: 0, in: folder)
    let old = try folder.read("data/dataset.json")
    try folder.write(
      text: "a,b,y\n" + (0..<600_000).lazy.map { "\($0),0.\($0),\($0 % 2)\n" }.joined(), to: "large.csv")
    let arguments = ["prepare", "large.csv", "--append", "--output", "data", "--shards", "4"]
    for moment in 0..<2 {
      let running = try MPILauncher.start(
        ranks: 2, Binaries.apus, arguments, options: CommandLineRun.impatient, workingDirectory: folder.path)
      let isReached = running.wait {
        let names = (try? folder.names(in: ".data.incomplete")) ?? []
        return moment == 0 ? !names.isEmpty : names.contains { $0.hasSuffix(".h5") }
      }
      #expect(isReached)
      for process in running.descendants { kill(process, SIGKILL) }
      let result = running.wait()
      try #require(result.exitCode != 0, "it was over before it could be killed\n\(result)")
      CommandLineRun.expectNoProcess(of: folder)
      #expect(try folder.read("data/dataset.json") == old)
      try CommandLineRun.succeed(["inspect", "data"], ranks: 0, in: folder)
    }
    // What a kill between the shards and dataset.json leaves goes with the next addition.
    try folder.write(text: "x", to: "data/train-00001-of-00009.h5")
    try CommandLineRun.succeed(arguments, ranks: 2, in: folder)
    #expect(!folder.contains("data/train-00001-of-00009.h5") && folder.contains("data/train-00004-of-00005.h5"))
    #expect(!folder.contains(".data.incomplete"))
  }
}
