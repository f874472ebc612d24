import Foundation
import Glibc
import TestSupport
import Testing

/// The ways in which the ranks of a stream learn from each other: the same rows, about the same model, and nothing lost in any of them.
@Suite(.serialized)
struct StreamCombinationTests {
  static let forms = ["parameters", "gradients", "asynchronous", "central"]

  /// Electricity in four sources on one, two and four ranks. The rate of AdaGrad makes up for steps that are fewer; and rows are dealt as if
  /// shuffled, since ranks that go on do not keep step, so that what each learns from would be another time of the world.
  @Test(arguments: forms) func ranksShareElectricity(form: String) throws {
    let folder = try StreamFolder("electricity")
    let names = try folder.electricity(parts: 4)
    let list = names.map { "\"\($0)\"" }.joined(separator: ", ")
    try folder.directory.write(
      text: """
        {
          stream: { sources: [\(list)], target: "class", combine: "\(form)", combine_every: 4, window: 0, log_rows: 20000 },
          model: { kind: "logistic" },
          optimizer: { kind: "adagrad", learning_rate: 0.2 },
        }
        """, to: "job.json")
    var accuracies: [Double] = []
    for ranks in [1, 2, 4] {
      let result = try MPILauncher.run(
        ranks: ranks, Binaries.fastest, ["stream", "job.json", "--set", "output=run-\(ranks)"],
        workingDirectory: folder.directory.path)
      #expect(result.exitCode == 0 && result.standardOutput.contains("45,312 rows"), "\(result)")
      let positions = try folder.positions("run-\(ranks)")
      for name in names { #expect(positions[name]?["rows"] as? Int == 11_328) }
      // The window has no rows, the last line all of them.
      let last = try #require(try folder.metrics("run-\(ranks)").last)
      #expect(last["rows"] as? Int == 45_312)
      accuracies.append(try #require(last["accuracy"] as? Double))
    }
    #expect(accuracies.allSatisfy { abs($0 - accuracies[0]) < 0.005 }, "\(accuracies)")
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

  @Test func stalenessIsForThoseWhoGoAhead() throws {
    let folder = try StreamFolder()
    try folder.job(["rows.csv"], stream: "staleness: 2")
    try CommandLineRun.fail(
      ["stream", "job.json"], ranks: 0, in: folder.directory, code: 78, says: ["stream.staleness", "\"asynchronous\""])
  }
}
