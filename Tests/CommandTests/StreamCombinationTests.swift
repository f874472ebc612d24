import Foundation
import Glibc
import TestSupport
import Testing

/// The ways in which the ranks of a stream learn from each other: the same rows, about the same model, and nothing lost in any of them.
@Suite(.serialized)
struct StreamCombinationTests {
  static let forms = ["parameters", "gradients", "asynchronous", "central"]

  /// Electricity in four sources on one, two and four ranks, in the order of time: a quarter of the years each. Rows count as much as on one rank
  /// where the ranks wait for each other. Those who go on take means, which rates of AdaGrad make up for; and do not keep step, so that their rows
  /// are dealt as if shuffled, or what each learns from would be another time of the world.
  @Test(arguments: forms) func ranksShareElectricity(form: String) throws {
    let folder = try StreamFolder("electricity")
    let waits = ["parameters", "gradients"].contains(form)
    let names = try folder.electricity(parts: 4, isShuffled: !waits)
    try job(
      names, "target: \"class\", combine: \"\(form)\", combine_every: \(waits ? 32 : 4), window: 0, log_rows: 20000",
      optimizer: waits ? "kind: \"sgd\", learning_rate: 0.01" : "kind: \"adagrad\", learning_rate: 0.2", folder)
    let accuracies = try accuracies(names, rows: 11_328, folder)
    #expect(accuracies.allSatisfy { abs($0 - accuracies[0]) < 0.005 }, "\(accuracies)")
  }

  /// Four sensors whose files grow side by side, and a relation that turns round: ranks follow it as one does. Their mean does not.
  @Test(arguments: ["parameters", "gradients"]) func ranksFollowAChangingWorld(form: String) throws {
    let folder = try StreamFolder("sensors")
    var random = SeededGenerator(seed: 3)
    var lines = [[String]](repeating: ["a,b,c,d,target"], count: 4)
    for row in 0..<24_000 {
      let values = (0..<4).map { _ in Double.random(in: -1...1, using: &random) }
      let score = (values[0] - 2 * values[1] + 0.5 * values[2]) * (row < 12_000 ? 1 : -1)
      let label = score + Double.random(in: -0.4...0.4, using: &random) > 0 ? 1 : 0
      lines[row % 4].append(values.map { "\($0)" }.joined(separator: ",") + ",\(label)")
    }
    let names = try lines.enumerated().map { index, lines in
      try folder.directory.write(text: lines.joined(separator: "\n") + "\n", to: "sensor-\(index).csv")
      return "sensor-\(index).csv"
    }
    var losses: [Double] = []
    for step in ["sum", "mean"] {
      try job(
        names, "combine: \"\(form)\", step: \"\(step)\", window: 0, log_rows: 20000",
        optimizer: "kind: \"sgd\", learning_rate: 0.02", folder)
      let accuracies = try accuracies(names, rows: 6000, folder)
      losses.append(accuracies.map { accuracies[0] - $0 }.max() ?? 1)
    }
    #expect(losses[0] < 0.005 && losses[1] > 0.01, "\(losses)")
  }

  private func job(_ names: [String], _ stream: String, optimizer: String, _ folder: StreamFolder) throws {
    let list = names.map { "\"\($0)\"" }.joined(separator: ", ")
    try folder.directory.write(
      text: "{ stream: { sources: [\(list)], \(stream) }, model: { kind: \"logistic\" }, optimizer: { \(optimizer) } }",
      to: "job.json")
  }

  /// Of job.json on one, two and four ranks, which all learn `rows` rows of each source.
  private func accuracies(_ names: [String], rows: Int, _ folder: StreamFolder) throws -> [Double] {
    try [1, 2, 4].map { ranks in
      let result = try MPILauncher.run(
        ranks: ranks, Binaries.fastest, ["stream", "job.json", "--overwrite", "--set", "output=run-\(ranks)"],
        workingDirectory: folder.directory.path)
      #expect(result.exitCode == 0, "\(result)")
      let positions = try folder.positions("run-\(ranks)")
      for name in names { #expect(positions[name]?["rows"] as? Int == rows) }
      // The window has no rows, the last line all of them.
      let last = try #require(try folder.metrics("run-\(ranks)").last)
      #expect(last["rows"] as? Int == rows * names.count)
      return try #require(last["accuracy"] as? Double)
    }
  }

  /// A rank goes no further ahead of another one, which stands still, than the job allows; it does not learn what else is there.
  @Test func staleness() throws {
    let folder = try StreamFolder()
    let files = folder.directory
    for index in 0..<2 { try files.write(text: StreamFolder.csv(0..<0), to: "rows-\(index).csv") }
    try folder.job(
      ["rows-0.csv", "rows-1.csv"],
      stream: "follow: true, combine: \"asynchronous\", staleness: 2, combine_every: 4, log_rows: 100000",
      "checkpoint: { every_seconds: 0 }, watchdog: { start: 120, reading: 120, step: 120, collective: 120 }")
    let running = try MPILauncher.start(
      ranks: 2, Binaries.apus, ["stream", "job.json"], options: CommandLineRun.impatient, workingDirectory: files.path)
    let hasBegun = running.wait(timeout: .seconds(40)) { running.errorSoFar.contains("learning") }
    #expect(hasBegun, "\(running.errorSoFar)")
    let other = try CommandLineRun.process(ofRank: 1, in: running)
    kill(other, SIGSTOP)
    let file = try #require(FileHandle(forWritingAtPath: files.file("rows-0.csv")))
    file.seekToEndOfFile()
    file.write(Data(StreamFolder.csv(0..<50_000, header: false).utf8))
    // Time to learn them all, and some more to wait for the other rank.
    usleep(3_000_000)
    kill(try CommandLineRun.process(ofRank: 0, in: running), SIGUSR1)
    usleep(300_000)
    kill(other, SIGCONT)
    let result = running.wait(timeout: .seconds(40))
    #expect(result.exitCode == 75, "\(result)")
    let learned = try #require(try folder.metrics().last?["rows"] as? Int)
    // Two combinations and the one that waits, of four rows each; a few more if the ranks met before the signal did.
    #expect(learned > 0 && learned < 2000, "\(learned)")
  }

  /// A worker that stands still, of which nobody wants anything, is missed and named.
  @Test(arguments: ["central", "asynchronous"]) func aStoppedRankIsMissed(form: String) throws {
    let folder = try StreamFolder()
    let files = folder.directory
    for index in 0..<2 {
      try files.write(text: StreamFolder.csv(index * 100..<(index + 1) * 100), to: "rows-\(index).csv")
    }
    try folder.job(
      ["rows-0.csv", "rows-1.csv"], stream: "follow: true, combine: \"\(form)\", combine_every: 4, log_rows: 200",
      "checkpoint: { every_seconds: 0 }, watchdog: { start: 60, reading: 3, step: 3, collective: 3, checkpoint: 3 }")
    let running = try MPILauncher.start(
      ranks: 2, Binaries.apus, ["stream", "job.json"], options: CommandLineRun.impatient, workingDirectory: files.path)
    let hasLearned = running.wait(timeout: .seconds(40)) {
      (try? folder.metrics())?.contains { $0["rows"] as? Int == 200 } ?? false
    }
    #expect(hasLearned, "\(running.errorSoFar)")
    kill(try CommandLineRun.process(ofRank: 1, in: running), SIGSTOP)
    let result = running.wait(timeout: .seconds(40))
    #expect(result.exitCode == 76 && result.standardError.contains("rank 1"), "\(result)")
  }

  /// kill -9 of a rank ends the job; resumed on another number of ranks, every row of every source is learned once.
  @Test(arguments: forms.dropFirst()) func aKilledRankLosesNothing(form: String) throws {
    let folder = try StreamFolder()
    let files = folder.directory
    for index in 0..<4 {
      try files.write(text: StreamFolder.csv(index * 2000..<(index + 1) * 2000), to: "rows-\(index).csv")
    }
    try folder.job(
      (0..<4).map { "rows-\($0).csv" }, stream: "combine: \"\(form)\", combine_every: 8, window: 100",
      "checkpoint: { every_rows: 1000 }")
    try folder.killARankThatHasSaved()
    let result = try CommandLineRun.succeed(["stream", "job.json", "--resume"], ranks: 3, in: files)
    #expect(
      result.standardError.contains("resumed after row") && result.standardOutput.contains("8,000 rows"), "\(result)")
    #expect(abs(try folder.means()[0] - 3_999.5) < 1e-4)
    let positions = try folder.positions()
    #expect((0..<4).allSatisfy { positions["rows-\($0).csv"]?["rows"] as? Int == 2000 })
  }

  /// A pipe that gives a row now and then, and at most a hundred: the file beside it is learned while the pipe stays open.
  @Test(arguments: forms) func aSlowSourceHoldsNobodyUp(form: String) throws {
    let folder = try StreamFolder()
    let files = folder.directory
    try files.write(text: StreamFolder.csv(0..<3000), to: "rows.csv")
    try folder.job(["rows.csv", "pipe"], stream: "combine: \"\(form)\", combine_every: 4, log_rows: 500, window: 100")
    try #require(mkfifo(files.file("pipe"), 0o600) == 0)
    let running = try MPILauncher.start(
      ranks: 2, Binaries.apus, ["stream", "job.json"], options: CommandLineRun.impatient, workingDirectory: files.path)
    let pipe = try #require(FileHandle(forUpdatingAtPath: files.file("pipe")))
    pipe.write(Data(StreamFolder.csv(3000..<3000).utf8))
    var given = 0
    let isLearned = running.wait {
      if given < 100 {
        pipe.write(Data(StreamFolder.csv(3000 + given..<3001 + given, header: false).utf8))
        given += 1
      }
      return (try? folder.metrics())?.contains { ($0["rows"] as? Int ?? 0) >= 3000 } ?? false
    }
    #expect(isLearned, "\(given) \(running.errorSoFar)")
    try pipe.close()
    let result = running.wait()
    #expect(result.exitCode == 0, "\(result)")
    #expect(try folder.metrics().last?["rows"] as? Int == 3000 + given)
    #expect(abs(try folder.means()[0] - Double(2999 + given) / 2) < 1e-4)
  }

  /// A step of all ranks leaves the same bits on all of them: parameters, moments and the number of steps.
  @Test func gradientsGiveAllRanksTheSameBits() throws {
    let folder = try StreamFolder()
    let files = folder.directory
    for (index, part) in [0..<500, 500..<2000, 2000..<3100].enumerated() {
      try files.write(text: StreamFolder.csv(part), to: "rows-\(index).csv")
    }
    try folder.job(
      (0..<3).map { "rows-\($0).csv" }, stream: "combine: \"gradients\", rows: 4", optimizer: "adam")
    try CommandLineRun.succeed(["stream", "job.json"], ranks: 3, in: files)
    let ranks = try folder.learners()
    #expect(ranks.count == 3)
    for key in ["parameters", "first_moment", "second_moment"] {
      let bits = ranks.compactMap { $0[key] as? String }
      #expect(bits.count == 3 && Set(bits).count == 1 && Set(bits[0]) != ["0"], "\(key)")
    }
    #expect(Set(ranks.compactMap { $0["steps"] as? Int }).count == 1)
  }

  @Test(arguments: [
    ("gradients", "rls", "", ["stream.combine", "\"rls\"", "\"parameters\""]),
    ("gradients", "passive_aggressive", "", ["stream.combine", "\"passive_aggressive\""]),
    ("central", "rls", "", ["stream.combine", "\"rls\""]),
    ("asynchronous", "rls", ", forgetting: 0.99", ["stream.combine", "model.forgetting"]),
    ("sometimes", "logistic", "", ["stream.combine", "\"asynchronous\""]),
  ]) func formsThatDoNotFitTheLearner(form: String, kind: String, more: String, words: [String]) throws {
    let folder = try StreamFolder()
    try folder.directory.write(
      text: "{ stream: { sources: \"rows.csv\", combine: \"\(form)\" }, model: { kind: \"\(kind)\"\(more) } }",
      to: "job.json")
    try CommandLineRun.fail(["stream", "job.json"], ranks: 0, in: folder.directory, code: 78, says: words)
  }

  @Test(arguments: [
    ("staleness: 2", ["stream.staleness", "\"asynchronous\""]),
    ("combine: \"central\", step: \"sum\"", ["stream.step", "\"parameters\" and \"gradients\""]),
  ]) func settingsOfOtherForms(stream: String, words: [String]) throws {
    let folder = try StreamFolder()
    try folder.job(["rows.csv"], stream: stream)
    try CommandLineRun.fail(["stream", "job.json"], ranks: 0, in: folder.directory, code: 78, says: words)
  }
}
