import Foundation
import TestSupport
import Testing

/// The sample of its rows that a stream keeps for later trainings.
@Suite struct StreamReplayTests {
  private static let files = ["dataset.json", "sample.json", "train-00000-of-00001.h5"]

  /// Four sources of 500 rows, and a job that keeps 40 of them.
  private func makeFolder(_ kind: String, form: String = "parameters", checkpoint: String = "") throws -> StreamFolder {
    let folder = try StreamFolder("replay")
    for index in 0..<4 {
      try folder.directory.write(text: StreamFolder.csv(index * 500..<(index + 1) * 500), to: "rows-\(index).csv")
    }
    try folder.job(
      (0..<4).map { "rows-\($0).csv" }, stream: "combine: \"\(form)\", combine_every: 4",
      "replay: { rows: 40, kind: \"\(kind)\" }, \(checkpoint)")
    return folder
  }

  private func sample(_ folder: StreamFolder, _ run: String) throws -> [Data] {
    try Self.files.map { try Data(folder.directory.read("\(run)/replay/\($0)")) }
  }

  /// The numbers that rows carry as their first feature, and their classes.
  private func rows(_ folder: StreamFolder, _ run: String) throws -> [(id: Int, label: Int)] {
    let text = try Python.text(
      """
      import h5py, sys
      with h5py.File(sys.argv[1]) as file:
          for row, label in zip(file["features"], file["targets"]): print(int(row[0]), label)
      """, [folder.directory.file("\(run)/replay/\(Self.files[2])")])
    return try text.split(separator: "\n").map { line in
      let words = line.split(separator: " ").compactMap { Int($0) }
      try #require(words.count == 2)
      return (words[0], words[1])
    }
  }

  /// Who reads which source, and when, is nothing to the sample: the same files, byte for byte.
  @Test(arguments: [("class", "asynchronous"), ("uniform", "gradients")])
  func isTheSameOnAnyRanks(kind: String, form: String) throws {
    let folder = try makeFolder(kind, form: form)
    for ranks in [1, 2, 4] {
      try CommandLineRun.succeed(
        ["stream", "job.json", "--set", "output=run-\(ranks)"], ranks: ranks, in: folder.directory)
      #expect(try sample(folder, "run-\(ranks)") == sample(folder, "run-1"), "\(ranks) ranks")
    }
    let kept = try rows(folder, "run-1")
    #expect(kept.count == 40 && Set(kept.map(\.id)).count == 40)
    // As StreamFolder makes them.
    #expect(kept.allSatisfy { $0.label == (($0.id * 7919) % 3 == 0 ? 1 : 0) && (0..<2000).contains($0.id) })
    #expect(Set(kept.map { $0.id / 500 }).count == 4, "rows of every source")
    if kind == "class" { #expect(kept.filter { $0.label == 1 }.count == 20) }
  }

  /// Killed and resumed on other ranks, the sample is that of an undisturbed stream: no row is in it twice, none was forgotten.
  @Test func survivesAKill() throws {
    let folder = try makeFolder("class", checkpoint: "checkpoint: { every_rows: 100 }")
    try CommandLineRun.succeed(["stream", "job.json", "--set", "output=whole"], ranks: 1, in: folder.directory)
    try folder.killARankThatHasSaved()
    try CommandLineRun.succeed(["stream", "job.json", "--resume"], ranks: 3, in: folder.directory)
    #expect(try sample(folder, "run") == sample(folder, "whole"))
    // Once more, when all is learned.
    try CommandLineRun.succeed(["stream", "job.json", "--resume"], ranks: 2, in: folder.directory)
    #expect(try sample(folder, "run") == sample(folder, "whole"))
    try CommandLineRun.succeed(["inspect", "run/checkpoints/step-000002000"], ranks: 0, in: folder.directory)
  }

  /// A training that goes on from the streamed model takes the sample as it takes that of a training.
  @Test func trainingsGoOnWithIt() throws {
    let folder = try makeFolder("class")
    let files = folder.directory
    try CommandLineRun.succeed(["stream", "job.json"], ranks: 2, in: files)
    try files.write(text: StreamFolder.csv(2000..<2300), to: "new.csv")
    try CommandLineRun.succeed(["prepare", "new.csv", "--target", "target", "--output", "new"], ranks: 0, in: files)
    try files.write(
      text: """
        { data: { path: "new" }, model: { kind: "logistic" }, optimizer: { kind: "sgd", learning_rate: 0.01 },
          train: { epochs: 2, batch_size: 20 }, replay: { rows: 60, kind: "class" }, output: "next" }
        """, to: "train.json")
    for ranks in [1, 2] {
      try CommandLineRun.succeed(["train", "train.json", "--from", "run", "--overwrite"], ranks: ranks, in: files)
      let comparison = try files.readText("next/comparison.json")
      #expect(comparison.contains("the sample beside run"), "\(comparison)")
      // Of the old rows and the new ones, numbered apart.
      let kept = try rows(folder, "next")
      #expect(kept.count == 60 && Set(kept.map(\.id)).count == 60)
      #expect(kept.contains { $0.id < 2000 } && kept.contains { $0.id >= 2000 })
    }
  }

  @Test func regressionsHaveNoClasses() throws {
    let folder = try StreamFolder()
    try folder.directory.write(
      text: "{ stream: { sources: \"rows.csv\" }, model: { kind: \"linear\" }, replay: { rows: 5, kind: \"class\" } }",
      to: "job.json")
    try CommandLineRun.fail(
      ["stream", "job.json"], ranks: 0, in: folder.directory, code: 78,
      says: ["replay.kind", "can be \"class\" only where the targets are classes"])
  }
}
