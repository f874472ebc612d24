import Foundation
import TestSupport
import Testing

/// `apus train --from`: a saved model goes on with new data.
@Suite struct IncrementalTests {
  let folder: TemporaryDirectory

  /// Two data sets: `first` has the columns a and b and the classes red and green, `next` the columns c, b and a and the classes blue and
  /// red, so that both need places of their own.
  init() throws {
    folder = try TemporaryDirectory("incremental")
    try folder.write(text: Self.table(["a", "b"], ["red", "green"], rows: 240, seed: 1), to: "first.csv")
    try folder.write(text: Self.table(["c", "b", "a"], ["blue", "red"], rows: 200, seed: 2), to: "next.csv")
    for name in ["first", "next"] { try prepare(name) }
    try folder.write(
      text: """
        { data: { path: 'first' }, model: { kind: 'mlp', hidden: [6], activation: 'tanh' }, loss: 'softmax',
          optimizer: { kind: 'adam', learning_rate: 0.01 }, replay: { rows: 30, kind: 'class' },
          train: { epochs: 6, batch_size: 16 }, parallel: { virtual_ranks: 4 }, output: 'old' }
        """, to: "job.json")
  }

  private static let centers = ["red": [-1.0, 0, 0.5], "green": [1.0, 0, -0.5], "blue": [0.0, 2, 0]]

  private static func table(_ columns: [String], _ classes: [String], rows: Int, seed: UInt64) -> String {
    var random = SeededGenerator(seed: seed)
    let lines = (0..<rows).map { row in
      let name = classes[row % classes.count]
      let values = columns.map { column in
        (centers[name]?[["a", "b", "c"].firstIndex(of: column) ?? 0] ?? 0)
          + Double.random(in: -0.7...0.7, using: &random)
      }
      return (values.map { "\($0)" } + [name]).joined(separator: ",")
    }
    return ([(columns + ["kind"]).joined(separator: ",")] + lines).joined(separator: "\n") + "\n"
  }

  private func prepare(_ name: String, target: String = "kind") throws {
    try CommandLineRun.succeed(
      ["prepare", "\(name).csv", "--target", target, "--standardize", "--shards", "2", "--output", name], ranks: 0,
      in: folder)
  }

  static func sets(_ keys: [String]) -> [String] { keys.flatMap { ["--set", $0] } }

  @discardableResult
  func first(_ keys: [String] = [], ranks: Int = 2) throws -> RunResult {
    try CommandLineRun.succeed(["train", "job.json"] + Self.sets(keys), ranks: ranks, in: folder)
  }

  func next(_ keys: [String] = [], _ options: [String] = [], output: String = "new") -> [String] {
    ["train", "job.json", "--from", "old"] + options + Self.sets(["data.path=next", "output=\(output)"] + keys)
  }

  func json(_ name: String) throws -> [String: Any] {
    try #require(try JSONSerialization.jsonObject(with: Data(try folder.read(name))) as? [String: Any])
  }

  private func metrics(_ part: String, _ when: String, _ key: String, in run: String = "new") throws -> Double {
    let side = try #require(try json("\(run)/comparison.json")[part] as? [String: Any])
    return try #require((side[when] as? [String: Any])?[key] as? Double)
  }

  /// Replay, consolidation, the optimizer's state, new columns and classes: the same files, byte for byte.
  @Test func isTheSameOnAnyRanks() throws {
    try first(["checkpoint.every_steps=20"])
    let keys = ["from.elastic=5", "from.optimizer=true", "from.replay_times=2"]
    for ranks in 1...4 {
      try CommandLineRun.succeed(next(keys, output: "new-\(ranks)"), ranks: ranks, in: folder)
    }
    let names =
      ["model.safetensors", "comparison.json"] + (try folder.names(in: "new-1/replay").map { "replay/\($0)" })
    #expect(names.count == 5)
    for ranks in 2...4 {
      for name in names {
        #expect(try folder.read("new-\(ranks)/\(name)") == folder.read("new-1/\(name)"), "\(name) on \(ranks) ranks")
      }
    }
    let sample = try json("new-1/replay/sample.json")
    let seen = try #require(sample["seen"] as? Int)
    let numbers = try #require(sample["numbers"] as? [Int])
    #expect(numbers.count == 30 && numbers.contains { $0 < seen / 2 } && numbers.contains { $0 > seen / 2 })
    let manifest = try folder.readText("new-1/replay/dataset.json")
    #expect(
      try #require(manifest.firstMatch(of: /"classes": ?\[([^\]]*)\]/)).1.filter { !$0.isWhitespace }
        == "\"green\",\"red\",\"blue\"")
  }

  /// A pipeline reads its parts of the grown model, and trains the same.
  @Test func isTheSameInAPipeline() throws {
    try first()
    try CommandLineRun.succeed(next(output: "whole"), ranks: 1, in: folder)
    try CommandLineRun.succeed(next(["parallel.pipeline=2"], output: "cut"), ranks: 2, in: folder)
    #expect(try folder.read("cut/model.safetensors") == folder.read("whole/model.safetensors"))
  }

  /// With a learning rate that changes nothing, the grown model is the old one: also with columns in other places and one more.
  @Test func beginsAsTheOldModel() throws {
    try first()
    try folder.write(text: Self.table(["c", "b", "a"], ["green", "red"], rows: 80, seed: 3), to: "wider.csv")
    try prepare("wider")
    try CommandLineRun.succeed(
      next(["data.path=wider", "from.old_data=first", "optimizer.learning_rate=1e-30"]), ranks: 2, in: folder)
    let text = try CommandLineRun.succeed(["evaluate", "old", "first", "--json"], ranks: 1, in: folder).standardOutput
    let old = try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
    for when in ["before", "after"] {
      let loss = try metrics("old", when, "loss")
      #expect(try abs(loss - #require(old["loss"] as? Double)) < 1e-7)
      #expect(try metrics("old", when, "accuracy") == #require(old["accuracy"] as? Double))
      #expect(try metrics("new", when, "accuracy") > 0.9, "rows of the same kinds with their columns elsewhere")
    }
  }

  /// A grown model is evaluated on data that have its columns and classes in their own order, and fewer of them.
  @Test func isEvaluatedByName() throws {
    try first()
    try CommandLineRun.succeed(next(), ranks: 2, in: folder)
    let text = try CommandLineRun.succeed(
      ["evaluate", "new", "next", "--split", "train", "--json"], ranks: 2, in: folder
    ).standardOutput
    let found = try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
    #expect(try found["accuracy"] as? Double == metrics("new", "after", "accuracy"))
    #expect(try abs(#require(found["loss"] as? Double) - metrics("new", "after", "loss")) < 1e-6)
    try CommandLineRun.fail(
      ["evaluate", "new", "first"], ranks: 2, in: folder, code: 65,
      says: ["lacks the column 'c', which the model has"])
    // The old model knows neither the third class nor the new column, which is left out.
    try CommandLineRun.fail(["evaluate", "old", "next"], ranks: 2, in: folder, code: 65, says: ["the 2 classes"])
    try CommandLineRun.succeed(["predict", "old", "next", "--output", "out.csv"], ranks: 2, in: folder)
  }

  @Test func resumes() throws {
    try first(["checkpoint.every_steps=20"])
    let keys = ["from.elastic=5", "from.optimizer=true"]
    try CommandLineRun.succeed(next(keys, output: "straight"), ranks: 1, in: folder)
    try CommandLineRun.succeed(
      next(keys + ["train.epochs=2", "checkpoint.every_steps=7"]), ranks: 3, in: folder)
    try CommandLineRun.succeed(next(keys, ["--resume"]), ranks: 2, in: folder)
    for name in ["comparison.json", "replay/sample.json"] {
      #expect(try folder.read("new/\(name)") == folder.read("straight/\(name)"), "\(name)")
    }
    let script = "tail -c +2000 $1/model.safetensors | sha256sum"
    let sums = try ["new", "straight"].map { run in
      try Run.program("bash", ["-c", script, "-", folder.file(run)]).standardOutput
    }
    #expect(sums[0] == sums[1])
  }

  /// The sample of a chain of trainings is the one that a single pass would have kept.
  @Test func samplesOfChainsAreSinglePasses() throws {
    try first(["replay.kind=uniform"])
    try CommandLineRun.succeed(next(["replay.kind=uniform", "train.epochs=1"]), ranks: 3, in: folder)
    try folder.write(text: Self.table(["a", "b"], ["red", "green"], rows: 440, seed: 4), to: "all.csv")
    try prepare("all")
    try first(["data.path=all", "replay.kind=uniform", "output=all-run", "train.epochs=1"])
    let (chain, whole) = (try json("new/replay/sample.json"), try json("all-run/replay/sample.json"))
    #expect(try #require(chain["seen"] as? Int) == #require(whole["seen"] as? Int))
    #expect(try #require(chain["numbers"] as? [Int]) == #require(whole["numbers"] as? [Int]))
  }

  @Test(arguments: [1, 3]) func refusesToBecomeWorse(ranks: Int) throws {
    try first()
    let old = try folder.read("old/model.safetensors")
    let keys = ["from.replay_times=0", "from.old_data=first", "from.tolerance=0.03", "train.epochs=30"]
    let result = try CommandLineRun.apus(next(keys), ranks: ranks, in: folder)
    #expect(result.exitCode == 79, "\(result)")
    #expect(result.messages.count == 1 && result.message.contains("has become worse on old rows by"), "\(result)")
    #expect(result.standardOutput.contains("refused.safetensors"), "\(result)")
    #expect(try folder.read("old/model.safetensors") == old)
    let names = try folder.names(in: "new")
    #expect(!names.contains("model.safetensors") && !names.contains("replay") && names.contains("refused.safetensors"))
    #expect(try json("new/comparison.json")["accepted"] as? Bool == false)
    try CommandLineRun.succeed(["inspect", "new/refused.safetensors"], ranks: 0, in: folder)
  }

  // MARK: What does not fit

  @Test func otherDataAreRefused() throws {
    try first()
    func fail(_ arguments: [String], _ code: Int32, _ words: String, ranks: Int = 3) throws {
      try CommandLineRun.fail(arguments, ranks: ranks, in: folder, code: code, says: [words])
    }
    try folder.write(text: Self.table(["a", "c"], ["red", "green"], rows: 40, seed: 5), to: "lacks.csv")
    try prepare("lacks")
    try fail(next(["data.path=lacks"]), 65, "lacks the column 'b', which the model to go on from has")
    try folder.write(text: try folder.readText("first.csv").replacing("kind", with: "sort"), to: "other.csv")
    try prepare("other", target: "sort")
    try fail(
      next(["data.path=other"]), 65, "the target of the data is 'sort', and that of the model to go on from 'kind'")
    try fail(next(["model.hidden=[7]"]), 78, "'model.hidden' is [7], and the model to go on from has [6]")
    try fail(next(["data.scale=2"]), 78, "'data.scale' is 2.0, and the model to go on from has 1.0")
    try CommandLineRun.succeed(
      ["train", "job.json", "--set", "output=named", "--set", "train.epochs=1"], ranks: 0, in: folder)
    try FileManager.default.moveItem(
      atPath: folder.file("named/model.safetensors"), toPath: folder.file("named/mine.safetensors"))
    try fail(
      ["train", "job.json", "--from", "named/mine.safetensors"] + Self.sets(["data.path=next", "output=named"]), 64,
      "where the model lies that it goes on from")
    try fail(
      ["train", "job.json", "--from", "nowhere", "--set", "output=new"], 66, "the model 'nowhere' does not exist")
    try fail(next(["from.old_data=next", "from.old_split=nope"]), 64, "has no split 'nope'")
    try fail(
      next(["train.initial_model=old"]), 78, "'from.model' and 'train.initial_model' cannot both be given", ranks: 0)
    try fail(next(["optimizer.kind=adamw", "from.optimizer=true"]), 78, "the state in 'old' is that of adam", ranks: 1)
    #expect(!folder.contains("new"))
  }

  @Test func whatIsNotThereIsMissed() throws {
    try first([
      "replay.rows=0", "checkpoint.every_seconds=0", "model.kind=logistic", "model.hidden=[]", "loss=logistic",
    ])
    func fail(_ keys: [String], _ code: Int32, _ words: String) throws {
      let shape = ["model.kind=logistic", "model.hidden=[]", "loss=logistic"]
      try CommandLineRun.fail(next(shape + keys), ranks: 2, in: folder, code: code, says: [words])
    }
    try fail([], 65, "the data add the class 'blue' to a model that tells 2 classes apart by one score")
    try fail(["data.path=first", "from.tolerance=0.1"], 66, "a sample of old rows, and there is none beside 'old'")
    try fail(["data.path=first", "from.replay_times=1"], 66, "a sample of old rows, and there is none beside 'old'")
    try fail(
      ["data.path=first", "from.optimizer=true"], 66, "'old' has no checkpoint to take the optimizer's state from")
  }

  @Test func damagedSamplesAreRefused() throws {
    try first()
    let text = try folder.readText("old/replay/sample.json")
    try folder.write(text: String(text.dropLast(9)), to: "old/replay/sample.json")
    try CommandLineRun.fail(
      next(), ranks: 3, in: folder, code: 65, says: ["'old/replay/sample.json' cannot be understood"])
  }
}
