import TestSupport
import Testing

/// Jobs that make no sense: `FAULTS.md`, rows B1 and B17, through the command.
@Suite struct BadInputJobTests {
  let folder: TemporaryDirectory

  init() throws { folder = try TemporaryDirectory("job") }

  private func fail(
    _ job: String, _ more: [String] = [], ranks: Int = 0, says words: [String],
    sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    try folder.write(text: job, to: "job.json")
    try CommandLineRun.fail(
      ["train", "job.json"] + more, ranks: ranks, in: folder, code: 78, says: words, sourceLocation: sourceLocation)
    #expect(try folder.names() == ["job.json"], "nothing is left behind", sourceLocation: sourceLocation)
  }

  // MARK: B1: no job file

  @Test func missing() throws {
    try folder.write(text: "", to: "digits.json")
    try CommandLineRun.fail(
      ["train", "digit.json"], ranks: 3, in: folder, code: 66,
      says: ["the job file 'digit.json' does not exist\n  hint: did you mean 'digits.json'?"])
    try CommandLineRun.fail(
      ["train", "nowhere/job.json"], ranks: 0, in: folder, code: 66,
      says: ["the job file 'nowhere/job.json' does not exist"])
  }

  @Test func directory() throws {
    try folder.write(text: "", to: "Jobs/digits/job.json")
    try CommandLineRun.fail(
      ["train", "Jobs/digits"], ranks: 3, in: folder, code: 66,
      says: ["'Jobs/digits' is a directory, not a job file\n  hint: did you mean 'Jobs/digits/job.json'?"])
  }

  /// Root may read everything, so the program runs as somebody else.
  @Test(.enabled(if: FaultMachine.canDropRights)) func noPermission() throws {
    try folder.write(text: "{}", to: "job.json")
    let result = try Run.shell(
      "chmod 755 . && chmod 000 job.json && \(FaultMachine.withoutRights) '\(Binaries.apus)' train job.json",
      environment: MPILauncher.environment, workingDirectory: folder.path)
    CommandLineRun.expectFailure(result, code: 77, says: ["cannot open 'job.json': Permission denied"])
  }

  @Test func tooLarge() throws {
    try folder.write(Array(repeating: UInt8(ascii: " "), count: 2 << 20), to: "job.json")
    try CommandLineRun.fail(
      ["train", "job.json"], ranks: 0, in: folder, code: 78,
      says: ["'job.json' is no job file: it has more than 1.0 MiB"])
  }

  // MARK: B17: what is in it

  @Test(arguments: [
    ("", "job.json:1:1: the text is empty"), ("hello", "job.json:1:1: expected a value, not 'hello'"),
    ("{ data: { path: 'x' model: 1 }", "job.json:1:21: expected ',' or '}' after the value of 'path', not 'm'"),
    ("{ data: { path: 'x', path: 'y' } }", "job.json:1:22: the key 'path' was given before, at line 1, column 11"),
    ("[]", "job.json:1:1: a job must be an object { ... }, not a list"),
    ("\u{1}\u{2}", "job.json:1:1: "), ("{ data: ", "job.json:1:9: "),
  ])
  func notAJob(_ text: String, _ words: String) throws {
    try fail(text, says: [words])
  }

  @Test func deepNesting() throws {
    try fail(String(repeating: "[", count: 100_000), says: ["job.json:1:", "within each other"])
  }

  /// All mistakes at once, in the order of the file, each with its place.
  @Test(arguments: [0, 3]) func everyMistakeAtOnce(_ ranks: Int) throws {
    let job = """
      // A job with many mistakes.
      {
        data: { path: 5, featurs: "x", validation_split: "test", },
        modle: { kind: "mlp" },
        model: { kind: "sofmax" },
        loss: "hubber",
        optimizer: { kind: "sgd", learning_rate: -1, beta1: 2 },
        train: { epochs: 0, batch_size: "ful", seed: 1.5, stesp: 5, shuffle: 1 },
        parallel: [1],
        checkpoint: { keep: 0 },
      }
      """
    try fail(
      job, ["--set", "optimizer.learning_rat=1", "--set", "train.epochs=none"], ranks: ranks,
      says: [
        """
        apus: 'job.json' has 16 mistakes
          job.json:3:17: 'data.path' must be a text, not 5
          job.json:3:20: unknown key 'data.featurs'; did you mean 'data.features'?
          job.json:4:3: unknown key 'modle'; did you mean 'model'?
          job.json:5:18: 'model.kind' must be "linear" | "logistic" | "svm" | "softmax" | "mlp", not "sofmax"; did you mean "softmax"?
        """,
        #"job.json:6:9: 'loss' must be "squared" | "huber" | "#, #"not "hubber"; did you mean "huber"?"#,
        "job.json:7:44: 'optimizer.learning_rate' must be a number above 0, not -1",
        "job.json:7:55: 'optimizer.beta1' must be a number from 0 and below 1, not 2",
        "job.json:8:20: 'train.epochs' must be an integer from 1 or null, not 0",
        #"job.json:8:35: 'train.batch_size' must be an integer from 1 or "full", not "ful"; did you mean "full"?"#,
        "job.json:8:48: 'train.seed' must be an integer from 0, not 1.5",
        "job.json:8:53: unknown key 'train.stesp'; did you mean 'train.steps'?",
        "job.json:8:72: 'train.shuffle' must be true or false, not 1",
        "job.json:9:13: 'parallel' must be an object { ... }, not a list",
        "job.json:10:23: 'checkpoint.keep' must be an integer from 1, not 0",
        "\n  --set optimizer.learning_rat: unknown key 'optimizer.learning_rat'; did you mean 'optimizer.learning_rate'?",
        #"--set train.epochs: 'train.epochs' must be an integer from 1 or null, not "none""#,
      ])
  }

  @Test func whatMustBeGiven() throws {
    try fail(
      "{}",
      says: ["'job.json' has 2 mistakes", "job.json: 'data.path' is missing", "job.json: 'model.kind' is missing"])
  }

  @Test func contradictions() throws {
    let job = #"""
      { data: { path: "x" }, model: { kind: "mlp" }, optimizer: { kind: "sgd", beta1: 0.5 }, schedule: { kind: "plateau" },
        train: { epochs: 3, steps: 4, early_stopping: { patience: 2 } } }
      """#
    try fail(
      job,
      says: [
        "'job.json' has 5 mistakes", "'model.hidden' must name the units of at least one hidden layer",
        "job.json:1:81: 'optimizer.beta1' is no setting of \"sgd\"",
        "'schedule.kind' \"plateau\" needs 'data.validation_split'",
        "'train.steps' and 'train.epochs' cannot both be given",
        "'train.early_stopping.patience' needs 'data.validation_split'",
      ])
    try fail(
      #"{ data: { path: "x" }, model: { kind: "softmax", hidden: [3] }, loss: "hinge" }"#,
      says: [
        "'model.hidden' does not fit kind \"softmax\"",
        "'loss' must be \"softmax\" for kind \"softmax\", not \"hinge\"",
      ])
  }

  @Test(arguments: ["nonsense", "=1", ""]) func overrideWithoutAKey(_ text: String) throws {
    try CommandLineRun.fail(
      ["train", "job.json", "--set", text], ranks: 0, in: folder, code: 64,
      says: ["--set needs KEY=VALUE, not '\(text)'"])
  }

  /// One mistake stands on one line, in the form that editors jump to.
  @Test func oneMistake() throws {
    try fail(
      #"{ data: { path: "x" }, model: { kind: "linear" }, outptu: "y" }"#,
      says: ["apus: job.json:1:51: unknown key 'outptu'; did you mean 'output'?"])
  }
}
