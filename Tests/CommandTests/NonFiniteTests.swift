import TestSupport
import Testing

/// Rows and steps that are not finite, and what a job wants of them.
struct NonFiniteTests {
  private let folder: TemporaryDirectory

  init() throws {
    folder = try TemporaryDirectory("nonfinite")
    // 100 rows in three uneven shards; six of them hold a NaN, an infinity or what no 32-bit float holds, one in its target.
    try Python.text(
      """
      import h5py, numpy as np, os
      random = np.random.default_rng(3)
      x = random.normal(size=(100, 4)); y = x @ [1, -2, 3, 0.5] + 1
      def shards(folder, x, y, cuts):
          os.makedirs(folder)
          for i in range(len(cuts) - 1):
              with h5py.File(f"{folder}/part-{i}.h5", "w") as file:
                  file["features"] = x[cuts[i]:cuts[i + 1]]; file["targets"] = y[cuts[i]:cuts[i + 1]].astype("f4")
      bad_x, bad_y = x.copy(), y.copy()
      bad_x[[3, 40, 41, 99], [0, 1, 2, 3]] = [np.nan, np.inf, -np.inf, 1e300]
      bad_x[70] = np.nan; bad_y[12] = np.nan
      shards("bad", bad_x, bad_y, [0, 10, 45, 100])
      good = np.isfinite(bad_x.astype("f4")).all(axis=1) & np.isfinite(bad_y)
      assert good.sum() == 94
      shards("left", x[good], y[good], [0, 94])
      filled = bad_x.copy(); filled[~np.isfinite(bad_x.astype("f4"))] = 0.25
      shards("features", bad_x, y, [0, 10, 45, 100])
      shards("filled", filled, y, [0, 10, 45, 100])
      spike = y.copy(); spike[17] = 3e38
      shards("spike", x, spike, [0, 50, 100])
      """, workingDirectory: folder.path)
    try folder.write(
      text: """
        { data: { path: "bad" }, model: { kind: "linear" }, optimizer: { kind: "sgd", learning_rate: 0.05 },
          train: { epochs: 3, batch_size: 10 }, parallel: { virtual_ranks: 4 }, output: "run" }
        """, to: "job.json")
  }

  private func train(_ output: String, ranks: Int, _ settings: [String]) throws -> RunResult {
    let all = ["output=\(output)"] + settings
    return try CommandLineRun.succeed(["train", "job.json"] + all.flatMap { ["--set", $0] }, ranks: ranks, in: folder)
  }

  private func weights(_ run: String) throws -> [Double] {
    try Python.value(
      """
      import json, sys
      from safetensors.numpy import load_file
      t = load_file(sys.argv[1] + "/model.safetensors")
      print(json.dumps([float(v) for k in sorted(t) for v in t[k].ravel()]))
      """, [run], workingDirectory: folder.path)
  }

  @Test func rowsAreLeftOutAlikeOnAnyNumberOfRanks() throws {
    let settings = ["data.non_finite=skip_row"]
    let result = try train("one", ranks: 1, settings)
    #expect(result.standardOutput.contains("30 steps, 282 samples"), "\(result)")
    #expect(result.standardOutput.contains("18 rows that are not finite"), "\(result)")
    let model = try folder.read("one/model.safetensors")
    for ranks in 2...4 {
      _ = try train("more", ranks: ranks, settings)
      #expect(try folder.read("more/model.safetensors") == model, "\(ranks) ranks")
      _ = try Run.shell("rm -r more", workingDirectory: folder.path)
    }
    let last = try folder.readText("one/metrics.jsonl").split(separator: "\n").last ?? ""
    #expect(last.contains("\"samples\":282") && last.contains("\"skipped_rows\":18"), "\(last)")
    // Stopped in the middle and resumed on other ranks.
    _ = try train("two", ranks: 2, settings + ["train.epochs=1", "checkpoint.every_steps=4"])
    let resumed = try CommandLineRun.succeed(
      ["train", "job.json", "--resume"] + (settings + ["output=two"]).flatMap { ["--set", $0] }, ranks: 3, in: folder)
    #expect(resumed.standardOutput.contains("18 rows"), "\(resumed)")
    #expect(try weights("two") == weights("one"))
  }

  /// As if the rows were not there: one virtual rank in the order of the files sees the rows that are left as one batch.
  @Test func rowsThatAreLeftOutCountForNothing() throws {
    let settings = ["parallel.virtual_ranks=1", "train.batch_size=full", "train.shuffle=false"]
    _ = try train("bad-run", ranks: 2, settings + ["data.non_finite=skip_row", "data.split=null"])
    _ = try train("left-run", ranks: 1, settings + ["data.non_finite=skip_row", "data.path=left"])
    #expect(try weights("bad-run") == weights("left-run"))
  }

  /// `evaluate` and `predict` do as the training did, or as they are told.
  @Test func judgingAndPredictingToo() throws {
    _ = try train("run", ranks: 1, ["data.path=left"])
    _ = try train("skipping", ranks: 2, ["data.non_finite=skip_row"])
    _ = try train("replacing", ranks: 1, ["data.path=features", "data.non_finite=replace", "data.replacement=0.25"])
    let evaluate = ["evaluate", "run", "bad"]
    CommandLineRun.expectFailure(
      try CommandLineRun.apus(evaluate, ranks: 2, in: folder), code: 65,
      says: ["row", "where a finite number is wanted"])
    func metrics(_ arguments: [String], ranks: Int) throws -> String {
      try CommandLineRun.succeed(["evaluate"] + arguments, ranks: ranks, in: folder).standardOutput
    }
    for ranks in [1, 3] {
      // Sums over parts of the rows, which are cut otherwise where fewer rows are there.
      let skipped = try metrics(["run", "bad", "--non-finite", "skip_row"], ranks: ranks)
      #expect(skipped.contains("94"), "\(skipped)")
      #expect(try metrics(["skipping", "bad"], ranks: ranks).contains("94"))
      #expect(try metrics(["replacing", "features"], ranks: ranks) == metrics(["replacing", "filled"], ranks: 1))
    }
    try CommandLineRun.fail(
      evaluate + ["--non-finite", "replace"], ranks: 2, in: folder, code: 65, says: ["no means of its columns"])
    try CommandLineRun.fail(
      evaluate + ["--non-finite", "skip_rows"], ranks: 0, in: folder, code: 64, says: ["--non-finite", "skip_row"])

    func predict(_ run: String, _ data: String, _ more: [String] = [], ranks: Int) throws -> [String] {
      let words = ["predict", run, data, "--output", "out.csv", "--overwrite"] + more
      try CommandLineRun.succeed(words, ranks: ranks, in: folder)
      return try folder.readText("out.csv").split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    }
    for ranks in [1, 2] {
      // Each row has its line, those left out an empty one: five hold such a feature.
      let lines = try predict("skipping", "bad", ranks: ranks)
      #expect(
        lines.count == 102 && lines.indices.filter { lines[$0].isEmpty } == [4, 41, 42, 71, 100, 101], "\(lines)")
      #expect(try predict("run", "bad", ["--non-finite", "skip_row"], ranks: ranks).filter(\.isEmpty).count == 6)
      #expect(try predict("replacing", "features", ranks: ranks) == predict("replacing", "filled", ranks: 1))
    }
  }

  @Test func featuresAreReplaced() throws {
    for ranks in [1, 3] {
      _ = try train(
        "replaced-\(ranks)", ranks: ranks, ["data.path=features", "data.non_finite=replace", "data.replacement=0.25"])
    }
    _ = try train("filled-run", ranks: 2, ["data.path=filled"])
    #expect(try weights("replaced-1") == weights("filled-run"))
    #expect(try weights("replaced-3") == weights("filled-run"))
    // A target cannot be replaced, and a mean has to be known.
    let set = ["train", "job.json", "--set", "data.non_finite=replace"]
    try CommandLineRun.fail(
      set + ["--set", "data.replacement=0"], ranks: 2, in: folder, code: 65, says: ["row 2, the target"])
    try CommandLineRun.fail(set, ranks: 2, in: folder, code: 78, says: ["no means", "data.replacement"])
  }

  /// The ranks that share a model leave out the same rows, those that read none of them too; in a pipeline with the same bits as where
  /// each rank holds the whole model, also where a micro-batch, or a whole step, has no row left.
  @Test func rowsAreLeftOutAlikeWhereRanksShareAModel() throws {
    let settings = [
      "data.non_finite=skip_row", "model.kind=mlp", "loss=squared", "model.hidden=[6, 5]", "train.batch_size=4",
      "parallel.micro_batches=2",
      "optimizer.learning_rate=0.01", "train.epochs=2",
    ]
    let result = try train("one", ranks: 1, settings)
    #expect(result.standardOutput.contains("188 samples") && result.standardOutput.contains("12 rows"), "\(result)")
    let model = try folder.read("one/model.safetensors")
    let log = try folder.readText("one/metrics.jsonl").split(separator: "\n").last?.prefix(while: { $0 != "r" })
    for (layout, ranks) in [("pipeline=2", 2), ("pipeline=3", 3), ("pipeline=2", 4)] {
      _ = try train("more", ranks: ranks, settings + ["parallel.\(layout)"])
      #expect(try folder.read("more/model.safetensors") == model, "\(layout) on \(ranks) ranks")
      #expect(
        try folder.readText("more/metrics.jsonl").split(separator: "\n").last?.prefix(while: { $0 != "r" }) == log)
      _ = try Run.shell("rm -r more", workingDirectory: folder.path)
    }
    let expected = try weights("one")
    for (layout, ranks) in [("tensor=2", 2), ("tensor=2", 4)] {
      let parts = try train("parts-\(ranks)", ranks: ranks, settings + ["parallel.\(layout)"])
      #expect(parts.standardOutput.contains("188 samples"), "\(parts)")
      let found = try weights("parts-\(ranks)")
      #expect(zip(found, expected).allSatisfy { abs($0 - $1) < 1e-4 } && found.count == expected.count)
    }
    let grid = ["parallel.pipeline=2", "parallel.tensor=2"]
    #expect(try train("grid", ranks: 4, settings + grid).standardOutput.contains("188 samples"))
    #expect(zip(try weights("grid"), expected).allSatisfy { abs($0 - $1) < 1e-4 })
  }

  /// The rows of a validation are left out by all ranks of a copy of the model as well.
  @Test func validationWhereRanksShareAModel() throws {
    try CommandLineRun.succeed(
      ["generate", "linear", "--rows", "20", "--columns", "4", "--output", "made"], ranks: 0, in: folder)
    try Python.text(
      """
      import json
      text = json.load(open("made/dataset.json"))
      shards = [{"file": f"part-{i}.h5", "rows": n} for i, n in enumerate([10, 35, 55])]
      text["splits"] = {name: {"rows": 100, "shards": shards} for name in ("train", "validation")}
      json.dump(text, open("bad/dataset.json", "w"))
      """, workingDirectory: folder.path)
    let settings = [
      "data.non_finite=skip_row", "data.validation_split=validation", "model.kind=mlp", "loss=squared",
      "model.hidden=[6]",
      "train.epochs=1", "optimizer.learning_rate=0.01",
    ]
    func line(_ run: String, ranks: Int, _ more: [String]) throws -> Substring {
      _ = try train(run, ranks: ranks, settings + more)
      let lines = try folder.readText("\(run)/metrics.jsonl").split(separator: "\n")
      return try #require(lines.last { $0.contains("validation_loss") })
    }
    let one = try line("one", ranks: 1, [])
    #expect(try line("two", ranks: 2, ["parallel.pipeline=2"]) == one)
    #expect(try line("four", ranks: 4, ["parallel.pipeline=2"]) == one)
    // To rounding where the sums within a layer are of parts.
    func loss(_ line: Substring) -> Double? {
      line.firstMatch(of: /"validation_loss":([0-9.e-]+)/).flatMap { Double($0.1) }
    }
    let parts = try #require(loss(try line("parts", ranks: 2, ["parallel.tensor=2"])))
    #expect(abs(parts - (loss(one) ?? 0)) < 1e-4 * parts)
  }

  @Test func stepsAreSkippedAlikeOnAnyNumberOfRanks() throws {
    let settings = ["data.path=spike", "train.non_finite=skip_step"]
    let result = try train("one", ranks: 1, settings)
    #expect(
      result.standardOutput.contains("skipped") && result.standardOutput.contains("3 steps that could not"), "\(result)"
    )
    #expect(result.messages.count == 1 && result.message.contains("is skipped: the loss is not finite"), "\(result)")
    #expect(try weights("one").allSatisfy { $0.isFinite })
    let model = try folder.read("one/model.safetensors")
    for ranks in 2...4 {
      _ = try train("more", ranks: ranks, settings)
      #expect(try folder.read("more/model.safetensors") == model, "\(ranks) ranks")
      _ = try Run.shell("rm -r more", workingDirectory: folder.path)
    }
    let log = try folder.readText("one/metrics.jsonl")
    #expect(log.contains("\"skipped_steps\":3") && !log.contains("null"), "\(log)")
    // Without the policy the first such step ends the training.
    try CommandLineRun.fail(
      ["train", "job.json", "--set", "data.path=spike"], ranks: 2, in: folder, code: 65,
      says: ["is not finite, though the data are"])
  }

  /// A skipped step is none of the optimizer's, whose corrections depend on their number, after a resume as before.
  @Test func skippedStepsAreNotTheOptimizersAfterAResume() throws {
    let settings = [
      "data.path=spike", "train.non_finite=skip_step", "optimizer.kind=adam", "train.epochs=null",
      "checkpoint.every_steps=30",
    ]
    _ = try train("whole", ranks: 1, settings + ["train.steps=30"])
    _ = try train("parts", ranks: 1, settings + ["train.steps=15"])
    let rest = ["output=parts"] + settings + ["train.steps=30"]
    _ = try CommandLineRun.succeed(
      ["train", "job.json", "--resume"] + rest.flatMap { ["--set", $0] }, ranks: 2, in: folder)
    #expect(try folder.readText("parts/metrics.jsonl").contains("\"skipped_steps\":3"))
    #expect(try weights("parts") == weights("whole"))
  }

  /// Batches of one row, of which some are left out: a step without rows changes nothing.
  @Test func stepsWithoutRowsAreSkipped() throws {
    let settings = ["data.non_finite=skip_row", "train.batch_size=1", "train.epochs=1", "optimizer.learning_rate=1e-3"]
    for ranks in [1, 3] {
      let result = try train("run-\(ranks)", ranks: ranks, settings)
      #expect(result.standardOutput.contains("100 steps, 94 samples"), "\(result)")
      #expect(result.standardOutput.contains("6 steps that could not"), "\(result)")
    }
    #expect(try weights("run-1") == weights("run-3"))
  }
}
