import Foundation
import TestSupport
import Testing

/// Data that cannot be trained on: `FAULTS.md`, rows B1 to B11, through the command and on several ranks.
@Suite(.enabled(if: Python.isAvailable)) struct BadInputDataTests {
  let folder: TemporaryDirectory
  let files = BadInputFiles.shared

  init() throws {
    folder = try TemporaryDirectory("badinput")
    let job =
      #"{ model: { kind: "softmax" }, train: { epochs: 2, batch_size: 32 }, data: { path: "?" }, output: "run" }"#
    try folder.write(text: job, to: "job.json")
  }

  private func arguments(_ data: String, _ more: [String]) -> [String] {
    ["train", "job.json", "--set", "data.path=\(files.path(data))"] + more
  }

  private func fail(
    _ data: String, _ more: [String] = [], ranks: Int = 3, code: Int32 = 65, says words: [String],
    sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    try CommandLineRun.fail(
      arguments(data, more), ranks: ranks, in: folder, code: code, says: words, sourceLocation: sourceLocation)
    CommandLineRun.expectNoProcess(of: folder, sourceLocation: sourceLocation)
    // Whatever was found, was found before anything of worth was written.
    #expect(
      !folder.contains("run/model.safetensors") && !folder.contains("run/checkpoints"), sourceLocation: sourceLocation)
  }

  // MARK: B1, B2, B3: no data set at all

  @Test func missing() throws {
    try fail(
      "god", code: 66, says: ["'\(files.path("god"))' does not exist", "hint: did you mean '\(files.path("good"))'?"])
    try fail("good/part-9.h5", code: 66, says: ["part-9.h5' does not exist", "did you mean"])
    try fail("good/*.hdf5", code: 66, says: ["no file matches '\(files.path("good/*.hdf5"))'"])
    #expect(!folder.contains("run"))
  }

  @Test func folderWithoutData() throws {
    try folder.write(text: "", to: "nothing/readme.txt")
    try CommandLineRun.fail(
      ["train", "job.json", "--set", "data.path=nothing"], ranks: 3, in: folder, code: 66,
      says: ["the directory 'nothing' holds neither a dataset.json nor a file *.h5 or *.hdf5"])
  }

  @Test func folderInPlaceOfAShard() throws {
    try folder.write(text: "", to: "data/part-0.h5/file")
    try CommandLineRun.fail(
      ["train", "job.json", "--set", "data.path=data"], ranks: 3, in: folder, code: 66,
      says: ["'data/part-0.h5' is a directory, not an HDF5 file"])
  }

  @Test(arguments: [
    ("page.h5", #"it begins with "<!DOCTYPE html><html><body>404 Not Found""#), ("empty.h5", "it is empty"),
    ("text.h5", #"it begins with "a,b,c\n1,2,3\n""#),
  ])
  func noHDF5(_ name: String, _ words: String) throws {
    try fail("web/\(name)", says: ["'\(files.path("web/\(name)"))' is not an HDF5 file", words])
  }

  /// Only the rank that looks at the shard sees it; all know.
  @Test func truncatedShardAmongSeveral() throws {
    try fail(
      "truncated",
      says: [
        "truncated/part-3.h5' is truncated: it has", "bytes and its header says", "was it copied completely?",
        "1 of 4 shards cannot be used", "part-0.h5  40 rows, 5 columns",
      ])
  }

  /// Root may read everything, so the ranks run as somebody else. Only one of them looks at the shard.
  @Test(.enabled(if: FaultMachine.canDropRights)) func noPermission() throws {
    let run = """
      \(FaultMachine.withoutRights) mpirun \((MPILauncher.flags(ranks: 3) + CommandLineRun.impatient).joined(separator: " ")) \
        '\(Binaries.apus)' train job.json
      """
    let environment = MPILauncher.environment.merging(["HOME": folder.path]) { $1 }
    func runWithoutRights(_ preparation: String, _ more: String) throws -> RunResult {
      try Run.shell(
        "\(preparation) && \(run) \(more)", environment: environment, workingDirectory: folder.path)
    }
    let data = try runWithoutRights(
      "cp -r '\(files.path("good"))' data && chmod 000 data/part-2.h5 && mkdir -m 777 out",
      "--set data.path=data --set output=out/run")
    CommandLineRun.expectFailure(data, code: 77, says: ["cannot open 'data/part-2.h5': Permission denied"])
    let output = try runWithoutRights(
      "mkdir -m 555 locked", "--set data.path='\(files.path("good"))' --set output=locked/run")
    CommandLineRun.expectFailure(
      output, code: 77,
      says: ["the output directory 'locked/run' cannot be used: cannot create 'locked/run': Permission denied"])
  }

  // MARK: B5, B13, B15: what HDF5 hands out only after a look

  @Test func flippedBit() throws {
    try fail("flipped", says: ["rows 16 to 23 of '/features' in", "flipped/part-3.h5'", "are damaged"])
  }

  @Test func linkIntoAnotherFile() throws {
    try fail("linked", says: ["linked/part-3.h5'", "is a link to another file"])
  }

  @Test func unknownFilter() throws {
    try fail("filter", says: ["filter/part-0.h5'", "lzf", "h5repack"])
  }

  // MARK: B6: values

  @Test func valueThatIsNotANumber() throws {
    try fail("nan", says: ["nan/part-3.h5', row 17, column 2: not a number (NaN) where a finite number is wanted"])
    try fail(
      "nan", ["--set", "parallel.reduction=fast"], says: ["nan/part-3.h5', row 17, column 2: not a number (NaN)"])
  }

  @Test func infiniteValue() throws {
    try fail("infinite", says: ["infinite/part-3.h5', row 17, column 2: infinite"])
  }

  @Test func targetThatIsNotANumber() throws {
    let regression = ["--set", "model.kind=linear"]
    try fail("nan-target", regression, says: ["nan-target/part-3.h5', row 11, the target: not a number (NaN)"])
    try fail("nan-target", says: ["nan-target/part-3.h5', row 11", "not a number (NaN)"])
  }

  /// Every rank finds something in the same step, and one speaks.
  @Test(arguments: ["ordered", "fast"]) func severalRanksFail(_ reduction: String) throws {
    try fail(
      "nan-everywhere", ["--set", "parallel.reduction=\(reduction)", "--set", "train.batch_size=full"],
      says: ["nan-everywhere/part-0.h5', row 3, column 1: not a number (NaN)"])
  }

  // MARK: B8: labels

  @Test func negativeLabel() throws {
    try fail("negative", says: ["negative/part-3.h5', row 11: the label is -1; allowed is a class index: 0, 1, 2, ..."])
  }

  @Test func fractionalLabel() throws {
    try fail(
      "fractional", says: ["fractional/part-0.h5', row 11: the label is 1.5; allowed is a class index", "regression"])
  }

  @Test func labelsOfMinusOne() throws {
    try fail(
      "minus-one", ["--set", "model.kind=logistic"], ranks: 2,
      says: [
        "minus-one/part-0.h5', row 0: the label is -1; allowed is a class index",
        "hint: labels of two classes are 0 and 1",
      ])
  }

  @Test func notOneHot() throws {
    try fail("one-hot", says: ["one-hot/part-0.h5', row 9: the targets are (1, 0, 1); allowed is a 1 for the class"])
  }

  @Test func wordsForLabels() throws {
    try fail("words", says: ["the targets 'targets'", "words/part-0.h5' are string; wanted are numbers"])
  }

  @Test func rowsOfFeaturesAndTargetsDiffer() throws {
    try fail("rows", says: ["rows/part-3.h5' has 43 rows of features ('features') and 40 of targets ('targets')"])
  }

  // MARK: B9: shards that disagree

  @Test func shardsDisagree() throws {
    try fail(
      "columns",
      says: [
        "the shards disagree (columns)\nrank  file",
        "\n   0  \(files.path("columns/part-3.h5"))    43        6  float32   int32    <- differs",
      ])
    try fail("types", says: ["the shards disagree (type of the targets)", "float64  <- differs", "hint: all shards"])
  }

  @Test func nameOfADataSet() throws {
    try fail(
      "names",
      says: [
        "names/part-3.h5' has no data set 'features' for the features; it has:\n  targets  int32 (43)\n  x  float32 (43 x 5)"
      ])
    try fail(
      "good", ["--set", "data.targets=target"],
      says: ["no data set 'target' for the targets", "hint: did you mean 'targets'?"])
  }

  // MARK: B10, B11: few rows and many ranks

  @Test func shardWithoutRows() throws {
    let result = try CommandLineRun.succeed(arguments("empty-shard", []), ranks: 3, in: folder)
    #expect(result.standardError.contains("125 rows"))
    #expect(result.standardOutput.contains("250 samples"))
  }

  @Test func noRowsAtAll() throws {
    try fail("no-rows", says: ["the data set '\(files.path("no-rows"))' has no rows"])
    try fail("no-rows/part-0.h5", ["--dry-run"], says: ["has no rows"])
  }

  /// More ranks than shards, than virtual ranks, and more virtual ranks than rows: every row is seen once an epoch.
  @Test(arguments: [(5, 0), (4, 2), (2, 1), (3, 100)]) func manyRanks(ranks: Int, virtualRanks: Int) throws {
    let result = try CommandLineRun.succeed(
      arguments("good/part-0.h5", ["--set", "parallel.virtual_ranks=\(virtualRanks)"]), ranks: ranks, in: folder)
    #expect(result.standardOutput.contains("4 steps, 80 samples"), "\(result)")
  }

  @Test func tooManyVirtualRanks() throws {
    let result = try CommandLineRun.apus(
      arguments("good", ["--set", "parallel.virtual_ranks=100000000"]), ranks: 2, in: folder)
    CommandLineRun.expectFailure(result, code: 64, says: ["parallel.virtual_ranks is 100,000,000; at most 65,536"])
  }

  // MARK: B4: a writer that died

  /// It has left its mark in the file: with SWMR the rows are there to be trained on, otherwise the file has to be repaired.
  @Test func shardThatADeadWriterLeftOpen() throws {
    try Python.text(
      """
      import h5py, numpy as np, os
      for name, shares in [("shared.h5", True), ("open.h5", False)]:
          if os.fork() == 0:
              file = h5py.File(name, "w", libver=("v110", "v110"))
              for key, values in [("features", np.ones((40, 5), "f4")), ("targets", np.arange(40) % 3)]:
                  file.create_dataset(key, data=values, chunks=(8,) + values.shape[1:], maxshape=(None,) + values.shape[1:])
              if shares: file.swmr_mode = True
              file.flush()
              os._exit(0)
          os.wait()
      """, workingDirectory: folder.path)
    try CommandLineRun.fail(
      ["train", "job.json", "--set", "data.path=open.h5"], ranks: 3, in: folder, code: 65,
      says: ["'open.h5'", "repair it with: h5clear -s 'open.h5'"])
    let result = try CommandLineRun.succeed(
      ["train", "job.json", "--set", "data.path=shared.h5"], ranks: 2, in: folder)
    #expect(result.standardError.contains("on 40 rows of 5 columns"), "\(result)")
  }

  // MARK: Numbers at the edge of what can be counted

  @Test func numbersWithoutMeasure() throws {
    let most = Int.max
    for key in [
      "train.batch_size", "parallel.micro_batches", "checkpoint.every_steps", "checkpoint.keep",
      "schedule.warmup_steps",
      "train.log_every", "train.seed",
    ] {
      let result = try CommandLineRun.apus(
        arguments("good", ["--overwrite", "--set", "\(key)=\(most)"]), ranks: 0, in: folder)
      #expect(result.exitCode == 0, "\(result)")
    }
    for key in ["train.epochs", "train.steps"] {
      let result = try CommandLineRun.apus(
        arguments("good", ["--dry-run", "--set", "\(key)=\(most)"]), ranks: 0, in: folder)
      #expect(
        result.exitCode == 0 && result.standardOutput.contains("steps          9,223,372,036,854,775,807"), "\(result)")
    }
    let deep = ["--dry-run", "--set", "model.kind=mlp", "--set"]
    for (hidden, code, words) in [
      ("[\(most)]", Int32(78), "'model.hidden' can hold layers of at most 2147483647 units"),
      (
        "[2147483647, 2147483647]", 78,
        "the model cannot be: layer 1 of 2147483647 inputs and 2147483647 outputs is too large"
      ),
      ("[2000000000]", 69, "not enough memory: a rank takes"),
      ("[2000000000, 200000000]", 69, "not enough memory: a rank takes"),
    ] {
      try CommandLineRun.fail(
        arguments("good", deep + ["model.hidden=\(hidden)"]), ranks: 0, in: folder, code: code, says: [words])
    }
    for (scale, code, words) in [
      ("0", Int32(78), "'data.scale' must be a 32-bit float other than 0"), ("1e300", 78, "'data.scale' must be"),
      ("1e38", 65, "is too large for a 32-bit float once it is scaled"),
    ] {
      try CommandLineRun.fail(
        arguments("good", ["--overwrite", "--set", "data.scale=\(scale)"]), ranks: 0, in: folder, code: code,
        says: [words])
    }
  }

  // MARK: Nothing written earlier is harmed

  @Test func theOldRunStays() throws {
    try CommandLineRun.succeed(arguments("good", []), ranks: 2, in: folder)
    let model = try folder.read("run/model.safetensors")
    let job = try folder.read("run/job.json")
    // Refused at once, whatever else is wrong with the data.
    try CommandLineRun.fail(
      arguments("good", []), ranks: 3, in: folder, code: 73,
      says: ["the output directory 'run' holds a run already", "--overwrite"])
    // What can be known before training is known before the old run is touched.
    for data in ["truncated", "columns", "no-rows"] {
      let result = try CommandLineRun.apus(arguments(data, ["--overwrite"]), ranks: 3, in: folder)
      CommandLineRun.expectFailure(result, code: 65, says: [])
    }
    #expect(try folder.read("run/model.safetensors") == model && folder.read("run/job.json") == job)
  }

  /// Where a failed run has left nothing of worth, the same command works once its cause is mended.
  @Test func theSameCommandWorksAfterwards() throws {
    let data = try folder.write(
      Array(try Data(contentsOf: URL(fileURLWithPath: files.path("nan/part-3.h5")))), to: "data.h5")
    let arguments = ["train", "job.json", "--set", "data.path=\(data)"]
    try CommandLineRun.fail(arguments, ranks: 3, in: folder, code: 65, says: ["not a number"])
    try folder.write(Array(try Data(contentsOf: URL(fileURLWithPath: files.path("good/part-3.h5")))), to: "data.h5")
    try CommandLineRun.succeed(arguments, ranks: 2, in: folder)
  }
}
