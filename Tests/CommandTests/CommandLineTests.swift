import Foundation
import TestSupport
import Testing

/// The command line before a command does its work: what is refused and how, and where the words go.
@Suite struct CommandLineTests {
  let folder: TemporaryDirectory

  init() throws { folder = try TemporaryDirectory("line") }

  private func refuse(
    _ arguments: [String], ranks: Int = 0, says words: [String], sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    try CommandLineRun.fail(
      arguments, ranks: ranks, in: folder, code: 64, says: words, sourceLocation: sourceLocation)
    #expect(try folder.names().isEmpty, sourceLocation: sourceLocation)
  }

  @Test func unknownCommand() throws {
    try refuse(
      ["evluate"], says: ["apus: unknown command 'evluate'; did you mean 'evaluate'?\n  hint: see apus --help"])
    try refuse(["xyzzy", "--help"], says: ["apus: unknown command 'xyzzy'\n  hint: see apus --help"])
    try refuse(["--vresion"], says: ["unknown option '--vresion'; did you mean '--version'?"])
    try refuse([""], says: ["unknown command ''"])
  }

  @Test(arguments: [
    (["train", "--resum", "job.json"], "unknown option '--resum'; did you mean '--resume'?"),
    (["evaluate", "model", "data", "--jsno"], "unknown option '--jsno'; did you mean '--json'?"),
    (["train", "-x", "job.json"], "unknown option '-x'"),
    (["train"], "JOB is missing: job file (JSON5)"),
    (
      ["evaluate", "model"],
      "DATA is missing: data set: a directory, an HDF5 file, a glob; or a raw CSV file (.csv, .tsv) with the target"
    ),
    (["train", "a.json", "b.json"], "one argument too many: 'b.json'"),
    (["train", "job.json", "--set"], "--set needs a value: --set KEY=VALUE"),
    (["train", "job.json", "--resume=yes"], "--resume takes no value"),
    (["train", "job.json", "--resume", "--overwrite"], "--resume and --overwrite exclude each other"),
    (["evaluate", "m", "d", "--split", "a", "--split", "b"], "--split is given twice"),
    (["prepare", "a.csv", "--output", "d"], "--target COLUMN is missing: column to predict"),
    (["prepare", "a.csv", "--target", "d"], "--output DIR is missing: directory of the data set"),
    (["prepare", "--target", "y", "--output", "d"], "CSV is missing: CSV files with the same columns"),
    (
      ["prepare", "a.csv", "--target", "y", "--output", "d", "--task", "clasification"],
      "unknown value for --task: 'clasification'; did you mean 'classification'?"
    ),
    (
      ["prepare", "a.csv", "--target", "y", "--output", "d", "--shards", "many"],
      "--shards needs a whole number, not 'many'"
    ),
    (
      ["prepare", "a.csv", "--target", "y", "--output", "d", "--test", "third"], "--test needs a fraction, not 'third'"
    ),
    (
      ["prepare", "a.csv", "--target", "y", "--output", "d", "--delimiter", "::"],
      "--delimiter needs one ASCII character or tab, not '::'"
    ),
    (["predict", "m", "d"], "--output FILE is missing: file to write"),
    (["plan", "j"], "--ranks NUMBER is missing: ranks of the cluster"),
    (["plan", "j", "--ranks", "0"], "--ranks needs a whole number from 1 to 65,536, not '0'"),
    (
      ["plan", "j", "--ranks", "4", "--ranks-per-node", "2"],
      "4 ranks, 2 a node, are several nodes: --bandwidth and --latency say what is between them"
    ),
    (
      ["plan", "j", "--ranks", "4", "--bandwidth", "fast"],
      "--bandwidth needs a speed, as 10Gbit/s or 1.2GB/s, not 'fast'"
    ),
    (["plan", "j", "--ranks", "4", "--latency", "25"], "--latency needs a time, as 25us, not '25'"),
    (
      ["plan", "j", "--ranks", "4", "--memory-per-node", "-1"],
      "--memory-per-node needs a number of bytes, as 64GiB, not '-1'"
    ),
    (
      ["plan", "j", "--ranks", "4", "--machine", "a", "--save-machine", "b"],
      "--machine and --save-machine exclude each other"
    ),
  ])
  func refused(_ arguments: [String], _ words: String) throws {
    let hint = "\n  hint: usage: apus \(arguments[0]) "
    try refuse(arguments, says: ["apus: \(words)", hint, "; see apus \(arguments[0]) --help"])
  }

  @Test func prepareWithNumbersThatMakeNoSense() throws {
    try folder.write(text: "a,y\n1,2\n", to: "a.csv")
    for (option, value) in [
      ("--test", "1.5"), ("--test", "-0.1"), ("--test", "nan"), ("--shards", "0"), ("--shards", "-3"),
    ] {
      let result = try CommandLineRun.apus(
        ["prepare", "a.csv", "--target", "y", "--output", "d", option, value], ranks: 0, in: folder)
      CommandLineRun.expectFailure(result, code: 64, says: [option])
      #expect(try folder.names() == ["a.csv"])
    }
  }

  /// Behind `--` nothing is an option.
  @Test func doubleDash() throws {
    let result = try CommandLineRun.apus(["train", "--", "--resume"], ranks: 0, in: folder)
    CommandLineRun.expectFailure(result, code: 66, says: ["the job file '--resume' does not exist"])
  }

  /// One message, and the same code from every rank, before MPI starts.
  @Test func underALauncher() throws {
    for _ in 0..<3 {
      try refuse(["evluate"], ranks: 3, says: ["apus: unknown command 'evluate'; did you mean 'evaluate'?"])
    }
    try refuse(["train"], ranks: 2, says: ["JOB is missing"])
  }

  // MARK: Standard output and standard error

  @Test func theVersion() throws {
    for ranks in [0, 3] {
      let result = try CommandLineRun.succeed(["--version"], ranks: ranks, in: folder)
      #expect(result.standardOutput == "apus 0.1.0\n" && result.standardError.isEmpty, "\(result)")
    }
  }

  @Test func help() throws {
    for words in [["--help"], ["-h"], ["help"], []] {
      #expect(try CommandLineRun.succeed(words, ranks: 0, in: folder).standardOutput == CommandLineHelp.overview)
    }
    for (command, text) in CommandLineHelp.commands {
      let result = try CommandLineRun.succeed([command, "--help"], ranks: 0, in: folder)
      #expect(result.standardOutput == text && result.standardError.isEmpty)
      // Help is help, whatever else stands there.
      #expect(try CommandLineRun.succeed([command, "--nonsense", "-h"], ranks: 0, in: folder).standardOutput == text)
    }
    #expect(
      CommandLineHelp.commands.flatMap { $0.1.split(separator: "\n") }.allSatisfy { $0.count <= 110 },
      "it fits a terminal")
  }

  @Test func helpUnderALauncher() throws {
    let alone = try CommandLineRun.succeed(["--help"], ranks: 0, in: folder)
    let together = try CommandLineRun.succeed(["--help"], ranks: 3, in: folder)
    #expect(together.standardOutput == alone.standardOutput && together.standardError.isEmpty, "\(together)")
    let command = try CommandLineRun.succeed(["train", "--help"], ranks: 3, in: folder)
    #expect(command.standardOutput == CommandLineHelp.train && command.standardError.isEmpty, "\(command)")
  }

  /// Results on standard output, progress on standard error, so that either can be kept alone.
  @Test func resultsAndProgress() throws {
    try folder.write(text: "a,b,y\n" + (0..<60).map { "\($0 % 7),\($0),\($0 % 2)\n" }.joined(), to: "table.csv")
    let prepared = try CommandLineRun.succeed(
      ["prepare", "table.csv", "--target", "y", "--output", "data"], ranks: 2, in: folder)
    #expect(prepared.standardError.isEmpty, "\(prepared)")
    #expect(
      prepared.outputLines.prefix(2) == [
        "classification: 2 different whole numbers in 60 rows; --task regression predicts the number instead",
        "60 rows of 2 features",
      ],
      "\(prepared)")
    try folder.write(text: #"{ data: { path: "data" }, model: { kind: "logistic" }, output: "run" }"#, to: "job.json")
    let dry = try CommandLineRun.succeed(["train", "job.json", "--dry-run"], ranks: 2, in: folder)
    #expect(dry.standardError.isEmpty && dry.outputLines.last == "the job is sound; nothing was trained", "\(dry)")
    #expect(!folder.contains("run"))
    let trained = try CommandLineRun.succeed(["train", "job.json"], ranks: 2, in: folder)
    #expect(
      trained.errorLines.first == "training logistic 2-1 on 48 rows of 2 columns, 2 ranks, 2 virtual", "\(trained)")
    #expect(trained.outputLines.map { $0.split(separator: " ").first } == ["trained", "loss", "model"], "\(trained)")
    let judged = try CommandLineRun.succeed(["evaluate", "run", "data"], ranks: 2, in: folder)
    #expect(judged.standardError.isEmpty && judged.outputLines.first == "rows      12", "\(judged)")
    // Nothing but text: no control characters where no terminal is.
    for result in [prepared, dry, trained, judged] {
      #expect(!(result.outputBytes + result.errorBytes).contains { $0 < 32 && $0 != 10 })
    }
  }

  /// A reader that goes away is no reason to fail with a signal.
  @Test func closedOutput() throws {
    let result = try Run.shell(
      "'\(Binaries.apus)' --help | head -1; echo ${PIPESTATUS[0]}", environment: MPILauncher.environment)
    #expect(result.outputLines.last == "0", "\(result)")
  }
}
