import Foundation
import TestSupport
import Testing

/// `apus prepare --from`: the rows of data sets and of foreign HDF5 files, stored anew.
@Suite(.enabled(if: Python.isAvailable)) struct ShardPreparationTests {
  let folder: TemporaryDirectory

  init() throws { folder = try TemporaryDirectory("from") }

  private func expectSame(_ one: String, _ other: String, sourceLocation: SourceLocation = #_sourceLocation) throws {
    let names = try folder.names(in: one)
    #expect(try folder.names(in: other) == names, sourceLocation: sourceLocation)
    for name in names {
      #expect(
        try folder.read("\(one)/\(name)") == folder.read("\(other)/\(name)"), "\(name)", sourceLocation: sourceLocation)
    }
  }

  /// Cut into other shards on each number of ranks, and back again: what came out first comes out last, byte for byte.
  @Test(arguments: ["diabetes", "penguins"]) func thereAndBack(name: String) throws {
    let recipe =
      name == "penguins"
      ? ["--recipe", PackageRoot.file("Jobs/penguins-softmax/prepare.json")]
      : ["--target", "progression", "--standardize"]
    try CommandLineRun.succeed(
      [
        "prepare", PackageRoot.file("Datasets/\(name)/\(name).csv"), "--output", "data", "--shards", "3",
        "--validation", "0.1",
      ] + recipe,
      ranks: 2, in: folder)
    for ranks in 1...4 {
      try CommandLineRun.succeed(
        ["prepare", "--from", "data", "--shards", "5", "--compress", "--chunk-rows", "20", "--output", "cut-\(ranks)"],
        ranks: ranks, in: folder)
      if ranks > 1 { try expectSame("cut-\(ranks)", "cut-1") }
    }
    let chunks: [Int] = try Python.value(
      """
      import h5py, json
      file = h5py.File("cut-1/train-00000-of-00005.h5")
      print(json.dumps([*file["features"].chunks, 1 if file["features"].compression == "gzip" else 0]))
      """, workingDirectory: folder.path)
    #expect(chunks.first == 20 && chunks.last == 1)
    try CommandLineRun.succeed(
      ["prepare", "--from", "cut-1", "--shards", "3", "--output", "back"], ranks: 3, in: folder)
    try expectSame("back", "data")
  }

  /// Foreign files, with holes that a recipe fills.
  @Test func foreignFiles() throws {
    try Python.text(
      """
      import h5py, numpy
      random = numpy.random.default_rng(1)
      for part, rows in enumerate((0, 70, 33)):
          x = random.normal(size=(rows, 3)); x[random.random(x.shape) < 0.1] = numpy.nan
          with h5py.File(f"part-{part}.h5", "w") as file:
              file["features"], file["targets"] = x, random.integers(0, 2, rows)
      """, workingDirectory: folder.path)
    try CommandLineRun.fail(
      ["prepare", "--from", "part-*.h5", "--output", "data"], ranks: 2, in: folder, code: 65,
      says: ["has no value here"])
    try folder.write(
      text: "{ defaults: { missing: 'mean' }, split: { in_order: true, test: 0.25 } }", to: "prepare.json")
    for ranks in 1...3 {
      try CommandLineRun.succeed(
        ["prepare", "--from", "part-*.h5", "--recipe", "prepare.json", "--output", "data-\(ranks)"], ranks: ranks,
        in: folder)
      if ranks > 1 { try expectSame("data-\(ranks)", "data-1") }
    }
    let isRight: Bool = try Python.value(
      """
      import h5py, json, numpy
      def rows(paths, name): return numpy.concatenate([h5py.File(path)[name][:] for path in paths])
      parts = [f"part-{part}.h5" for part in range(3)]
      made = [f"data-1/{name}-00000-of-00001.h5" for name in ("train", "test")]
      x, y = rows(parts, "features"), rows(parts, "targets")
      train = len(h5py.File(made[0])["targets"])
      x = numpy.where(numpy.isnan(x), numpy.nanmean(x[:train], axis=0), x)
      print(json.dumps(bool(train == 77 and numpy.allclose(rows(made, "features"), x, rtol=1e-6) and (rows(made, "targets") == y).all())))
      """, workingDirectory: folder.path)
    #expect(isRight)
  }

  @Test func refusals() throws {
    try CommandLineRun.succeed(
      [
        "prepare", PackageRoot.file("Datasets/penguins/penguins.csv"), "--recipe",
        PackageRoot.file("Jobs/penguins-softmax/prepare.json"), "--output", "data",
      ],
      ranks: 1, in: folder)
    try folder.write(text: "{}", to: "prepare.json")
    for (arguments, code, words) in [
      (["--from", "none", "--output", "new"], 66, "'none' does not exist"),
      (["--from", "data", "--output", "data"], 64, "is what --from reads"),
      (["--from", "data", "--recipe", "prepare.json", "--output", "new"], 64, "was prepared by a recipe already"),
      (["--from", "data", "--decimal", ",", "--output", "new"], 64, "--decimal is for CSV files"),
      (
        ["--from", "data", "table.csv", "--output", "new"], 64,
        "--from takes the place of CSV files such as 'table.csv'"
      ),
      (["--from", "data", "--chunk-rows", "0", "--output", "new"], 64, "--chunk-rows 0: from 1"),
      (["--from", "prepare.json", "--output", "new"], 65, "prepare.json"),
    ] as [([String], Int32, String)] {
      try CommandLineRun.fail(["prepare"] + arguments, ranks: 2, in: folder, code: code, says: [words])
    }
    #expect(try folder.names() == ["data", "prepare.json"])
  }
}
