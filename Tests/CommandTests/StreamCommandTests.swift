import Foundation
import Glibc
import TestSupport
import Testing

/// `apus stream` as a user runs it.
@Suite(.serialized)
struct StreamCommandTests {
  private static let rows = 4000
  private static let mean = Double(rows - 1) / 2

  @Test func learnsFromEverySourceAlike() throws {
    let folder = try StreamFolder()
    let files = folder.directory
    try files.write(text: StreamFolder.csv(0..<Self.rows), to: "rows.csv")
    try files.write(text: StreamFolder.jsonLines(0..<Self.rows), to: "rows.jsonl")
    for part in 0..<4 {
      try files.write(text: StreamFolder.csv(part * 1000..<part * 1000 + 1000), to: "parts/rows-\(part).csv")
    }
    try files.write(text: "not wanted", to: "parts/.hidden.csv")
    try files.write(text: "not finished", to: "parts/rows-9.csv.tmp")
    var models: [[UInt8]] = []
    for (index, source) in ["rows.csv", "rows.jsonl", "parts"].enumerated() {
      let run = "run-\(index)"
      try folder.job([source], name: "job.json", output: run)
      let result = try CommandLineRun.succeed(["stream", "job.json"], ranks: 0, in: files)
      #expect(
        result.standardOutput.contains("4,000 rows") && result.standardOutput.contains("accuracy 0.9"), "\(result)")
      models.append(try files.read("\(run)/model.safetensors"))
      #expect(abs(try folder.means(run)[0] - Self.mean) < 1e-6)
    }
    // Standard input and a named pipe.
    try folder.job(["-"], output: "run-3")
    let piped = try Run.shell(
      "cat rows.csv | '\(Binaries.apus)' stream job.json", environment: MPILauncher.environment,
      workingDirectory: files.path)
    #expect(piped.exitCode == 0, "\(piped)")
    models.append(try files.read("run-3/model.safetensors"))
    try folder.job(["pipe"], output: "run-4")
    let named = try Run.shell(
      "mkfifo pipe; (sleep 0.3; cat rows.jsonl > pipe) & '\(Binaries.apus)' stream job.json; wait",
      environment: MPILauncher.environment, workingDirectory: files.path)
    #expect(named.exitCode == 0, "\(named)")
    models.append(try files.read("run-4/model.safetensors"))
    // What is in a model file but its job is the same: the tensors behind the header.
    let tensors = models.map { $0.suffix(16) }
    #expect(tensors.dropFirst().allSatisfy { $0 == tensors[0] })

    let evaluated = try CommandLineRun.succeed(
      ["evaluate", "run-0", "rows.csv", "--json"], ranks: 0, in: files)
    #expect(evaluated.standardOutput.contains("accuracy"), "\(evaluated)")
    try CommandLineRun.succeed(["predict", "run-0", "rows.csv", "--output", "out.csv"], ranks: 0, in: files)
    #expect(try files.readText("out.csv").split(separator: "\n").count == Self.rows + 1)
    try CommandLineRun.succeed(["inspect", "run-0"], ranks: 0, in: files)
  }

  @Test(.enabled(if: Python.isAvailable, "needs the Python of Scripts/setup"))
  func readsAFileWhileItGrows() throws {
    let folder = try StreamFolder()
    let files = folder.directory
    try folder.job(["rows.h5"], stream: "follow: true, limit: 600, log_rows: 50")
    let running = try Run.start(
      Binaries.apus, ["stream", "job.json"], environment: MPILauncher.environment, workingDirectory: files.path)
    // A row every two milliseconds, features before targets.
    try Python.text(
      """
      import h5py, numpy, sys, time
      with h5py.File("rows.h5", "w", libver="latest") as file:
          x = file.create_dataset("features", (0, 3), "f4", maxshape=(None, 3), chunks=(64, 3))
          y = file.create_dataset("target", (0,), "i4", maxshape=(None,), chunks=(64,))
          file.swmr_mode = True
          for row in range(600):
              label = int(row * 7919 % 3 == 0)
              x.resize(row + 1, 0); x[row] = (row, 2 * label - 1, row * 17 % 100); x.flush()
              y.resize(row + 1, 0); y[row] = label; y.flush()
              time.sleep(0.002)
      """, workingDirectory: files.path)
    let result = running.wait()
    #expect(result.exitCode == 0, "\(result)")
    #expect(abs(try folder.means()[0] - 299.5) < 1e-6)
    let median = try #require(try folder.metrics().last?["latency_median"] as? Double)
    #expect(median > 0, "\(median)")
  }

  /// A writer that is killed leaves a file of which every row is learned.
  @Test(.enabled(if: Python.isAvailable, "needs the Python of Scripts/setup"))
  func aKilledWriterLosesNothing() throws {
    let folder = try StreamFolder()
    let files = folder.directory
    try folder.job(["rows.h5"], stream: "follow: true, limit: 300")
    let running = try Run.start(
      Binaries.apus, ["stream", "job.json"], environment: MPILauncher.environment, workingDirectory: files.path)
    let writer = try Python.run(
      """
      import h5py, os, time
      file = h5py.File("rows.h5", "w", libver="latest")
      x = file.create_dataset("features", (0, 1), "f4", maxshape=(None, 1), chunks=(64, 1))
      y = file.create_dataset("target", (0,), "i4", maxshape=(None,), chunks=(64,))
      file.swmr_mode = True
      for row in range(300):
          x.resize(row + 1, 0); x[row] = row; x.flush()
          y.resize(row + 1, 0); y[row] = row % 2; y.flush()
          time.sleep(0.001)
      os.kill(os.getpid(), 9)
      """, workingDirectory: files.path)
    #expect(writer.signal == SIGKILL, "\(writer)")
    let result = running.wait()
    #expect(result.exitCode == 0 && result.standardOutput.contains("300 rows"), "\(result)")
    #expect(abs(try folder.means()[0] - 149.5) < 1e-6)
  }

  /// A writer that is killed, put right and started again goes on in its file, and every row is learned once.
  @Test(.enabled(if: Python.isAvailable, "needs the Python of Scripts/setup"))
  func aFileThatIsReopenedGoesOn() throws {
    let folder = try StreamFolder()
    let files = folder.directory
    try folder.job(["rows.h5"], stream: "follow: true, limit: 600, log_rows: 1")
    let running = try Run.start(
      Binaries.fastest, ["stream", "job.json"], environment: MPILauncher.environment, workingDirectory: files.path)
    for (start, end) in [(0, 200), (200, 400), (400, 600)] {
      // What a writer that was killed has left says that it still writes, and does not know its own length.
      if start > 0 { _ = try Run.program("h5clear", ["-s", "--increment=0", files.file("rows.h5")]) }
      let writer = try Python.run(
        """
        import h5py, os, sys, time
        start, end = int(sys.argv[1]), int(sys.argv[2])
        file = h5py.File("rows.h5", "a" if start else "w", libver="latest")
        if not start:
            file.create_dataset("features", (0, 1), "f4", maxshape=(None, 1), chunks=(64, 1))
            file.create_dataset("target", (0,), "i4", maxshape=(None,), chunks=(64,))
        x, y = file["features"], file["target"]
        file.swmr_mode = True
        assert len(y) == start, len(y)
        for row in range(start, end):
            x.resize(row + 1, 0); x[row] = row; x.flush()
            y.resize(row + 1, 0); y[row] = row % 2; y.flush()
            time.sleep(0.001)
        os.kill(os.getpid(), 9)
        """, ["\(start)", "\(end)"], workingDirectory: files.path)
      #expect(writer.signal == SIGKILL, "\(writer)")
      let hasLearned = running.wait {
        ((try? folder.metrics())?.last?["rows"] as? Int ?? 0) >= end || !running.isRunning
      }
      #expect(hasLearned, "\(end): \(running.errorSoFar)")
    }
    let result = running.wait()
    #expect(result.exitCode == 0 && result.standardOutput.contains("600 rows"), "\(result)")
    #expect(abs(try folder.means()[0] - 299.5) < 1e-6)
  }

  /// A pipe that is full holds its writer up; killed then and resumed with the writer's rows once more, none is lost or doubled.
  @Test func aFullPipeLosesNothing() throws {
    let folder = try StreamFolder()
    let files = folder.directory
    let count = 40_000
    try files.write(text: StreamFolder.csv(0..<count), to: "rows.csv")
    _ = try Run.program("mkfifo", [files.file("pipe")])
    try folder.job(["pipe"], stream: "log_rows: 500", "checkpoint: { every_rows: 2000 }")
    func start() throws -> (writer: RunningProgram, stream: RunningProgram) {
      let writer = try Run.start("bash", ["-c", "exec cat rows.csv > pipe"], workingDirectory: files.path)
      let stream = try Run.start(
        Binaries.apus, ["stream", "job.json", "--resume"], environment: MPILauncher.environment,
        workingDirectory: files.path)
      return (writer, stream)
    }
    let first = try start()
    #expect(first.stream.wait { ((try? files.names(in: "run/checkpoints")) ?? []).count > 1 })
    first.stream.send(SIGSTOP)
    usleep(500_000)
    #expect(first.writer.isRunning, "nobody reads, and a writer of \(count) rows waits")
    first.stream.send(SIGKILL)
    _ = first.stream.wait()
    // As any writer to a pipe that nobody has open.
    #expect(first.writer.wait().exitCode == 128 + SIGPIPE)
    let second = try start()
    second.stream.send(SIGSTOP)
    usleep(200_000)
    second.stream.send(SIGCONT)
    let result = second.stream.wait()
    #expect(result.exitCode == 0 && result.standardOutput.contains("40,000 rows"), "\(result)")
    #expect(result.standardError.contains("resumed after row"), "\(result)")
    #expect(second.writer.wait().exitCode == 0)
    #expect(abs(try folder.means()[0] - Double(count - 1) / 2) < 1e-6)
  }

  @Test func aFileThatIsReplacedIsAnError() throws {
    let folder = try StreamFolder()
    let files = folder.directory
    try files.write(text: StreamFolder.csv(0..<100), to: "rows.csv")
    try folder.job(["rows.csv"], stream: "follow: true")
    let running = try Run.start(
      Binaries.apus, ["stream", "job.json"], environment: MPILauncher.environment, workingDirectory: files.path)
    let hasLearned = running.wait {
      (try? folder.metrics())?.contains { $0["rows"] as? Int == 100 } ?? false
    }
    #expect(hasLearned, "\(running.errorSoFar)")
    try files.write(text: StreamFolder.csv(0..<5), to: "other.csv")
    try FileManager.default.removeItem(atPath: files.file("rows.csv"))
    try FileManager.default.moveItem(atPath: files.file("other.csv"), toPath: files.file("rows.csv"))
    let result = running.wait()
    #expect(result.exitCode == 65 && result.standardError.contains("'rows.csv' was"), "\(result)")
  }

  /// Killed again and again at any moment and resumed, a stream learns every row once: the model is that of an undisturbed run.
  @Test func nothingIsLostOrDoubledByKills() throws {
    let folder = try StreamFolder()
    let files = folder.directory
    try files.write(text: StreamFolder.csv(0..<30_000), to: "rows.csv")
    let stream = "rows: 1, log_rows: 1000"
    let rest = "checkpoint: { every_rows: 2000 }"
    try folder.job(["rows.csv"], stream: stream, rest)
    try CommandLineRun.succeed(["stream", "job.json", "--set", "output=whole"], ranks: 0, in: files)
    var kills = 0
    var result: RunResult
    repeat {
      let running = try Run.start(
        Binaries.apus, ["stream", "job.json", "--resume"], environment: MPILauncher.environment,
        workingDirectory: files.path)
      if kills < 6 {
        usleep(UInt32(150_000 + 40_000 * kills))
        kill(running.processIdentifier, SIGKILL)
        kills += 1
      }
      result = running.wait()
    } while result.signal == SIGKILL
    #expect(result.exitCode == 0, "\(result)")
    #expect(try files.read("run/model.safetensors") == files.read("whole/model.safetensors"))
    let rows = try folder.metrics().compactMap { $0["accuracy"] == nil ? nil : $0["rows"] as? Int }
    #expect(rows == rows.sorted() && Set(rows).count == rows.count && rows.last == 30_000)
  }

  @Test func aSignalSavesAndAPipeGoesOn() throws {
    let folder = try StreamFolder()
    let files = folder.directory
    try files.write(text: StreamFolder.csv(0..<Self.rows), to: "rows.csv")
    try folder.job(["-"])
    try CommandLineRun.succeed(
      ["stream", "job.json", "--set", "output=whole", "--set", "stream.sources=rows.csv"], ranks: 0, in: files)
    // The writer stops in the middle of a row and stays silent.
    let first = try Run.start(
      "bash",
      ["-c", "(head -c 20000 rows.csv; sleep 1000) | exec '\(Binaries.apus)' stream job.json"],
      environment: MPILauncher.environment, workingDirectory: files.path)
    #expect(first.wait { first.errorSoFar.contains("learning") })
    let apus = try #require(
      first.descendants.first { pid in
        (try? String(contentsOfFile: "/proc/\(pid)/comm", encoding: .utf8))?.hasPrefix("apus") ?? false
      })
    let becomesIdle = try first.wait {
      let before = try Self.processorTime(apus)
      usleep(500_000)
      return try Self.processorTime(apus) - before < 0.03
    }
    #expect(becomesIdle, "an idle stream burns no processor")
    kill(apus, SIGTERM)
    #expect(first.wait { first.outputSoFar.contains("stopped after row") }, "\(first.errorSoFar)")
    for process in first.descendants { kill(process, SIGKILL) }
    let result = try Run.shell(
      "cat rows.csv | '\(Binaries.apus)' stream job.json --resume", environment: MPILauncher.environment,
      workingDirectory: files.path)
    #expect(result.exitCode == 0 && result.standardError.contains("resumed after row"), "\(result)")
    #expect(try files.read("run/model.safetensors").suffix(16) == files.read("whole/model.safetensors").suffix(16))
    #expect(abs(try folder.means()[0] - Self.mean) < 1e-6)
  }

  /// Seconds of the processor that a process has taken.
  private static func processorTime(_ process: Int32) throws -> Double {
    let stat = try String(contentsOfFile: "/proc/\(process)/stat", encoding: .utf8)
    let fields = stat[stat.index(after: try #require(stat.lastIndex(of: ")")))...].split(separator: " ")
    return (Double(fields[11])! + Double(fields[12])!) / 100
  }

  @Test func rowsThatAreNotAsTheyShouldBe() throws {
    let folder = try StreamFolder()
    let files = folder.directory
    var lines = StreamFolder.csv(0..<100).split(separator: "\n").map(String.init)
    lines[10] = "9,1.0,2"
    lines[20] = "19,one,2,1"
    lines[30] = "29,1.0,2,5"
    lines[40] = "39,,2,1"
    lines[50] = "49,1.0,nan,0"
    try files.write(text: lines.map { $0 + "\n" }.joined(), to: "rows.csv")
    try folder.job(["rows.csv"])
    let result = try CommandLineRun.succeed(["stream", "job.json"], ranks: 0, in: files)
    #expect(
      result.standardOutput.contains("95 rows") && result.standardOutput.contains("3 malformed, 2 incomplete"),
      "\(result)")
    #expect(result.standardError.contains("row 9 of 'rows.csv'"), "\(result)")
    let imputed = try CommandLineRun.succeed(
      ["stream", "job.json", "--overwrite", "--set", "stream.incomplete=impute"], ranks: 0, in: files)
    #expect(imputed.standardOutput.contains("97 rows"), "\(imputed)")
    let failing = try CommandLineRun.apus(
      ["stream", "job.json", "--overwrite", "--set", "stream.malformed=fail"], ranks: 0, in: files)
    #expect(failing.exitCode == 65 && failing.standardError.contains("row 9 of 'rows.csv'"), "\(failing)")
    let incomplete = try CommandLineRun.apus(
      ["stream", "job.json", "--overwrite", "--set", "stream.incomplete=fail"], ranks: 0, in: files)
    #expect(incomplete.exitCode == 65 && incomplete.standardError.contains("row 39 of"), "\(incomplete)")
    // `id` is the time here, and a few rows come late.
    let order = lines[0...0] + lines[1...9] + lines[3...4] + lines[11...19]
    try files.write(text: order.map { $0 + "\n" }.joined(), to: "late.csv")
    let late = try CommandLineRun.succeed(
      [
        "stream", "job.json", "--overwrite", "--set", "stream.sources=late.csv", "--set", "stream.time=id", "--set",
        "stream.lateness=5",
      ], ranks: 0, in: files)
    #expect(late.standardOutput.contains("1 late"), "\(late)")
  }

  /// Rows that are taken together and rows that are looked at one by one are the same rows.
  @Test(.enabled(if: Python.isAvailable, "needs the Python of Scripts/setup")) func rowsOfHDF5ThatAreNotAsTheyShouldBe()
    throws
  {
    let folder = try StreamFolder()
    let files = folder.directory
    try Python.text(
      """
      import h5py, numpy
      x = numpy.random.default_rng(1).standard_normal((30000, 3)).astype("f4")
      y = (x[:, 0] > 0).astype("i4")
      x[5000:6000:10, 1] = numpy.nan
      y[7000] = 2
      with h5py.File("rows.h5", "w") as file:
          file["features"], file["targets"] = x, y
      with h5py.File("sound.h5", "w") as file:
          sound = numpy.isfinite(x).all(1) & (y < 2)
          file["features"], file["targets"] = x[sound], y[sound]
      """, workingDirectory: files.path)
    for source in ["rows", "sound"] {
      try folder.job(["\(source).h5"], stream: "target: \"targets\", rows: 4", output: source)
      let result = try CommandLineRun.succeed(["stream", "job.json"], ranks: 0, in: files)
      #expect(result.standardOutput.contains("29,899 rows"), "\(result)")
    }
    #expect(try files.read("rows/model.safetensors").suffix(16) == files.read("sound/model.safetensors").suffix(16))
    #expect(try folder.metrics("rows").last?["incomplete"] as? Int == 100)
    let imputed = try CommandLineRun.succeed(
      [
        "stream", "job.json", "--set", "stream.sources=rows.h5", "--set", "stream.incomplete=impute", "--set",
        "output=imputed", "--set", "stream.limit=20000",
      ], ranks: 0, in: files)
    #expect(
      imputed.standardOutput.contains("19,999 rows") && imputed.standardOutput.contains("1 malformed"), "\(imputed)")
  }

  @Test func badJobsAndSources() throws {
    let folder = try StreamFolder()
    let files = folder.directory
    try files.write(text: StreamFolder.csv(0..<10), to: "rows.csv")
    try folder.job(["nowhere.csv"])
    try CommandLineRun.fail(
      ["stream", "job.json"], ranks: 0, in: files, code: 66, says: ["'nowhere.csv'", "stream.follow"])
    try folder.job(["rows.csv"], stream: "target: \"class\"")
    try CommandLineRun.fail(["stream", "job.json"], ranks: 0, in: files, code: 65, says: ["no target 'class'"])
    try files.write(
      text: """
        { stream: { sources: [], wait: "soon", rowz: 3, classes: ["a"], lateness: 3 },
          model: { kind: "softmax" }, drift: { on_drift: "report" }, optimizer: { momentum: 0.5 } }
        """, to: "job.json")
    try CommandLineRun.fail(
      ["stream", "job.json"], ranks: 0, in: files, code: 78,
      says: [
        "stream.sources", "stream.wait", "did you mean 'stream.rows'", "stream.classes", "stream.lateness",
        "drift.detector", "optimizer.momentum",
      ])
    try folder.job(["rows.csv"])
    try CommandLineRun.succeed(["stream", "job.json", "--dry-run", "--set", "output=dry"], ranks: 0, in: files)
    #expect(!files.contains("dry"))
    try CommandLineRun.succeed(["stream", "job.json"], ranks: 0, in: files)
    try CommandLineRun.fail(["stream", "job.json"], ranks: 0, in: files, code: 73, says: ["holds a run already"])
  }

  /// The same four sources on one, two and four ranks: the same rows, and about the same model. A source that is much shorter than the others
  /// and one that comes late hold nobody up.
  @Test func ranksShareTheSources() throws {
    let folder = try StreamFolder()
    let files = folder.directory
    let parts = [0..<500, 500..<3000, 3000..<5500, 5500..<8000]
    for (index, part) in parts.enumerated() { try files.write(text: StreamFolder.csv(part), to: "rows-\(index).csv") }
    try folder.job((0..<4).map { "rows-\($0).csv" }, stream: "combine_every: 8")
    var accuracies: [Double] = []
    for ranks in [0, 2, 4] {
      let run = "run-\(ranks)"
      let result = try CommandLineRun.succeed(
        ["stream", "job.json", "--set", "output=\(run)"], ranks: ranks, in: files)
      #expect(result.standardOutput.contains("8,000 rows"), "\(result)")
      let positions = try folder.positions(run)
      for (index, part) in parts.enumerated() {
        #expect(positions["rows-\(index).csv"]?["rows"] as? Int == part.count)
      }
      // A mean of the numbers of all rows that only all of them, each once, have.
      #expect(abs(try folder.means(run)[0] - 3999.5) < 1e-6)
      accuracies.append(try #require(try folder.metrics(run).last?["accuracy"] as? Double))
    }
    #expect(accuracies.allSatisfy { abs($0 - accuracies[0]) < 0.005 }, "\(accuracies)")
  }

  /// kill -9 of a rank ends the job; resumed on another number of ranks, every row of every source is learned once.
  @Test func aKilledRankLosesNothing() throws {
    let folder = try StreamFolder()
    let files = folder.directory
    for index in 0..<4 {
      try files.write(text: StreamFolder.csv(index * 3000..<(index + 1) * 3000), to: "rows-\(index).csv")
    }
    try folder.job(
      (0..<4).map { "rows-\($0).csv" }, stream: "combine_every: 8", "checkpoint: { every_rows: 500 }")
    try folder.killARankThatHasSaved()
    try CommandLineRun.succeed(["stream", "job.json", "--resume"], ranks: 3, in: files)
    #expect(abs(try folder.means()[0] - 5_999.5) < 1e-4)
    let positions = try folder.positions()
    #expect((0..<4).allSatisfy { positions["rows-\($0).csv"]?["rows"] as? Int == 3000 })
  }

  /// A rank that is stopped is named, and the job ends with 76: the other one waits for it in vain where they combine.
  @Test func aStoppedRankEndsTheJob() throws {
    let folder = try StreamFolder()
    let files = folder.directory
    try files.write(text: StreamFolder.csv(0..<3000), to: "rows-0.csv")
    try files.write(text: StreamFolder.csv(3000..<3100), to: "rows-1.csv")
    try folder.job(
      ["rows-0.csv", "rows-1.csv"], stream: "follow: true, combine_every: 4",
      "watchdog: { start: 60, reading: 3, step: 3, collective: 3, checkpoint: 60 }")
    let running = try MPILauncher.start(
      ranks: 2, Binaries.apus, ["stream", "job.json"], options: CommandLineRun.impatient, workingDirectory: files.path)
    let hasLearned = running.wait {
      (try? folder.metrics())?.contains { $0["rows"] as? Int == 3100 } ?? false
    }
    #expect(hasLearned, "\(running.errorSoFar)")
    // Idle ranks are no stall, for longer than any limit.
    usleep(4_000_000)
    #expect(running.isRunning)
    let process = try CommandLineRun.process(ofRank: 1, in: running)
    kill(process, SIGSTOP)
    let file = try #require(FileHandle(forWritingAtPath: files.file("rows-0.csv")))
    file.seekToEndOfFile()
    file.write(Data(StreamFolder.csv(3100..<3200, header: false).utf8))
    let result = running.wait()
    #expect(result.exitCode == 76 && result.standardError.contains("rank 1"), "\(result)")
  }

  /// A source that never gives a row: the others go on, and the stream ends after the job's patience.
  @Test func aSilentSourceHoldsNobodyUp() throws {
    let folder = try StreamFolder()
    let files = folder.directory
    try files.write(text: StreamFolder.csv(0..<3000), to: "rows.csv")
    try folder.job(["rows.csv", "never.csv"], stream: "follow: true, idle: \"700ms\", combine_every: 4")
    let result = try CommandLineRun.succeed(["stream", "job.json"], ranks: 2, in: files)
    #expect(result.standardOutput.contains("3,000 rows") && result.duration < Patience.seconds, "\(result)")
  }

  /// A sample is the same on any number of ranks, and after a stop in the middle; what it passes over is counted.
  @Test func aSampleOfTheRowsIsLearned() throws {
    let folder = try StreamFolder("sample")
    for source in 0..<2 {
      let rows = source * 1000..<(source + 1) * 1000
      try folder.directory.write(text: StreamFolder.csv(rows), to: "part-\(source).csv")
    }
    try folder.job(
      ["part-0.csv", "part-1.csv"], "sample: { fraction: 0.5, classes: [0.5, 1] }, checkpoint: { every_rows: 100 }")
    var counts: Set<[Int]> = []
    for ranks in [0, 1, 2] {
      let result = try CommandLineRun.succeed(
        ["stream", "job.json", "--overwrite"], ranks: ranks, in: folder.directory)
      let last = try #require(try folder.metrics().last)
      let (rows, passed) = (try #require(last["rows"] as? Int), try #require(last["unsampled"] as? Int))
      #expect(rows + passed == 2000 && result.standardOutput.contains("unsampled"), "\(result)")
      counts.insert([rows, passed])
    }
    // A third of the rows has the class 1 and the chance 1/2, the others 1/4.
    let rows = try #require(counts.first?[0])
    #expect(counts.count == 1 && abs(rows - 667) < 130, "\(counts)")
    let limit = ["--set", "stream.limit=400"]
    try CommandLineRun.succeed(["stream", "job.json", "--overwrite"] + limit, ranks: 0, in: folder.directory)
    try CommandLineRun.succeed(["stream", "job.json", "--resume"], ranks: 0, in: folder.directory)
    #expect(try folder.metrics().last?["rows"] as? Int == rows)
    #expect(try folder.positions()["part-0.csv"]?["rows"] as? Int == 1000)
  }
}
