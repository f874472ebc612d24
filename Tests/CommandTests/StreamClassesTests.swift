import Foundation
import TestSupport
import Testing

/// Classes that come up in a stream.
@Suite(.serialized)
struct StreamClassesTests {
  /// Rows `range` of a table: two numbers that say the class, and a number of the row. Every fifth row from `from` on has a class of
  /// its own, `name`.
  private static func rows(_ range: Range<Int>, _ name: String, from: Int) -> [(values: [Double], label: String)] {
    range.map { row in
      let label = row >= from && row % 5 == 2 ? name : row * 7919 % 3 == 0 ? "b" : "a"
      let center: [Double] =
        switch label {
        case "a": [-2, 0]
        case "b": [2, 0]
        default: [0, name == "c" ? 3 : -3]
        }
      return ([center[0] + Double(row * 31 % 10) / 10, center[1] + Double(row * 17 % 10) / 10, Double(row)], label)
    }
  }

  private static func csv(_ rows: [(values: [Double], label: String)]) -> String {
    let lines = rows.map { row in (row.values.map { "\($0)" } + [row.label]).joined(separator: ",") }
    return (["x,y,id,kind"] + lines).joined(separator: "\n") + "\n"
  }

  private func job(
    _ folder: StreamFolder, _ sources: [String], _ stream: String = "", classes: [String] = ["a", "b"],
    model: String = "kind: \"softmax\"", optimizer: String = "kind: \"sgd\", learning_rate: 0.05", _ rest: String = ""
  ) throws {
    try folder.directory.write(
      text: """
        {
          stream: { sources: \(sources), classes: \(classes), target: "kind", new_classes: "add", \(stream) },
          model: { \(model) },
          optimizer: { \(optimizer) },
          output: "run", \(rest)
        }
        """, to: "job.json")
  }

  private func evaluation(_ folder: StreamFolder, _ data: String, model: String = "run") throws -> [String: Any] {
    let text = try CommandLineRun.succeed(["evaluate", model, data, "--json"], ranks: 0, in: folder.directory)
    return try #require(
      try JSONSerialization.jsonObject(with: Data(text.standardOutput.utf8)) as? [String: Any])
  }

  /// A softmax that descends row by row, in Double: a class that is new has zeros for weights, after its first row was predicted.
  private struct ByHand {
    var names = ["a", "b"]
    var weights: [[Double]] = [[0, 0, 0], [0, 0, 0]]
    var hits = 0

    private func scores(_ x: [Double]) -> [Double] {
      weights.map { $0[0] * x[0] + $0[1] * x[1] + $0[2] }
    }

    mutating func learn(_ x: [Double], _ label: String, rate: Double) {
      let before = scores(x)
      let predicted = before.indices.reduce(0) { before[$1] > before[$0] ? $1 : $0 }
      if !names.contains(label) {
        names.append(label)
        weights.append([0, 0, 0])
      } else if names[predicted] == label {
        hits += 1
      }
      let now = scores(x)
      let top = now.max() ?? 0
      let sum = now.reduce(0) { $0 + exp($1 - top) }
      for index in names.indices {
        let pull = exp(now[index] - top) / sum - (names[index] == label ? 1 : 0)
        for (place, value) in (x + [1]).enumerated() { weights[index][place] -= rate * pull * value }
      }
    }
  }

  /// One rank, a row an update: parameters and errors are those of the sum by hand, in every kind of source.
  @Test(arguments: ["csv", "jsonl"]) func aSoftmaxGrowsAsByHand(format: String) throws {
    let folder = try StreamFolder("classes")
    let rows = Self.rows(0..<400, "c", from: 150).map { (values: Array($0.values.prefix(2)), label: $0.label) }
    let text =
      format == "csv"
      ? Self.csv(rows).replacing("x,y,id,kind", with: "x,y,kind")
      : rows.map { "{\"x\": \($0.values[0]), \"y\": \($0.values[1]), \"kind\": \"\($0.label)\"}\n" }.joined()
    try folder.directory.write(text: text, to: "rows.\(format)")
    try job(folder, ["rows.\(format)"], model: "kind: \"softmax\", standardize: false")
    let result = try CommandLineRun.succeed(["stream", "job.json"], ranks: 0, in: folder.directory)
    #expect(result.standardError.contains("the class 'c' is new after row 152: the model has 3 now"), "\(result)")
    #expect(result.standardOutput.contains("new classes    c\n"), "\(result)")
    var hand = ByHand()
    for row in rows { hand.learn(row.values, row.label, rate: 0.05) }
    let bits = try #require(try folder.learners()[0]["parameters"] as? String)
    let found = stride(from: 0, to: bits.count, by: 8).compactMap { start in
      UInt32(bits.dropFirst(start).prefix(8), radix: 16).map { Double(Float(bitPattern: $0)) }
    }
    let wanted = hand.weights.flatMap { $0.prefix(2) } + hand.weights.map { $0[2] }
    #expect(found.count == 9 && zip(found, wanted).allSatisfy { abs($0 - $1) < 1e-4 }, "\(found) \(wanted)")
    let last = try #require(try folder.metrics().last)
    let accuracy = try #require(last["accuracy"] as? Double)
    #expect(abs(accuracy - Double(hand.hits) / 400) < 1e-9 && hand.hits > 300)
    let line = try #require(try folder.metrics().first { $0["new_classes"] != nil })
    #expect(line["new_classes"] as? [String] == ["c"] && line["rows"] as? Int == 152 && line["classes"] as? Int == 3)
  }

  /// The same, whether a stream is stopped before, between or after its new classes, at a restart or not.
  @Test func goesOnBitForBitAfterItHasGrown() throws {
    let folder = try StreamFolder("classes")
    let rows = Self.rows(0..<600, "c", from: 200).enumerated().map { row, content in
      (content.values, row > 400 && row % 7 == 0 ? "d" : content.label)
    }
    try folder.directory.write(text: Self.csv(rows), to: "rows.csv")
    let mlp = "kind: \"mlp\", hidden: [4]"
    let adam = "kind: \"adam\", learning_rate: 0.01"
    for run in ["whole", "parts"] {
      for limit in run == "whole" ? [600] : [100, 202, 203, 350, 406, 407, 600] {
        try job(
          folder, ["rows.csv"], "limit: \(limit), window: 50", model: mlp, optimizer: adam,
          "drift: { detector: \"adwin\", on_drift: \"switch\" }")
        let set = ["--set", "output=\(run)"] + (limit == 100 ? [] : ["--resume"])
        try CommandLineRun.succeed(["stream", "job.json"] + set, ranks: 0, in: folder.directory)
      }
    }
    for key in ["learner", "score"] {
      let states = try ["whole", "parts"].map { run in
        try JSONSerialization.data(
          withJSONObject: #require(try folder.ranks(run)[0][key]), options: [.sortedKeys])
      }
      #expect(states[0] == states[1], "\(key)")
    }
    #expect(try folder.classes("whole") == ["a", "b", "c", "d"])
    #expect(try folder.classes("parts") == ["a", "b", "c", "d"])
  }

  /// Each class is seen by one rank alone; all of them have it at the same row, in all ways of combining.
  @Test(arguments: StreamCombinationTests.forms) func oneRankSeesTheClass(form: String) throws {
    let folder = try StreamFolder("classes")
    // The source with most rows ends last, so that what the model knows in the end is what is looked at.
    let parts = [(0..<600, "c", 600), (600..<1800, "c", 800), (1800..<2400, "d", 2000)]
    for (index, part) in parts.enumerated() {
      try folder.directory.write(text: Self.csv(Self.rows(part.0, part.1, from: part.2)), to: "rows-\(index).csv")
    }
    let names = (0..<3).map { "rows-\($0).csv" }
    for ranks in [1, 2, 3] {
      let run = "run-\(ranks)"
      try job(
        folder, names, "columns: [\"x\", \"y\", \"id\"], combine: \"\(form)\", combine_every: 8, log_rows: 500",
        optimizer: "kind: \"adam\", learning_rate: 0.02")
      let result = try CommandLineRun.succeed(
        ["stream", "job.json", "--set", "output=\(run)"], ranks: ranks, in: folder.directory)
      #expect(result.standardOutput.contains("2,400 rows"), "\(result)")
      #expect(abs(try folder.means(run)[2] - 1_199.5) < 1e-3)
      let classes = try folder.classes(run)
      #expect(classes.prefix(2) == ["a", "b"] && Set(classes) == ["a", "b", "c", "d"])
      let added = try folder.metrics(run).filter { $0["new_classes"] != nil }
      #expect(added.flatMap { $0["new_classes"] as? [String] ?? [] } == classes.suffix(2))
      if ranks == 3 {
        let metrics = try evaluation(folder, "rows-1.csv", model: run)
        #expect(try #require(metrics["accuracy"] as? Double) > 0.9, "\(metrics)")
      }
      if form == "gradients" {
        #expect(Set(try folder.learners(run).compactMap { $0["parameters"] as? String }).count == 1)
      }
    }
  }

  /// kill -9 of a rank after the model has grown; resumed on other numbers of ranks, each row is learned once and no class lost.
  @Test(arguments: ["parameters", "asynchronous"]) func aKilledRankKeepsTheClasses(form: String) throws {
    let folder = try StreamFolder("classes")
    for index in 0..<4 {
      let rows = index * 1500..<(index + 1) * 1500
      let name = index == 1 ? "c" : "d"
      try folder.directory.write(
        text: Self.csv(Self.rows(rows, name, from: index < 2 ? rows.lowerBound + 100 : rows.upperBound)),
        to: "rows-\(index).csv")
    }
    try job(
      folder, (0..<4).map { "rows-\($0).csv" }, "combine: \"\(form)\", combine_every: 8, window: 100",
      "checkpoint: { every_rows: 500 }")
    try folder.killARankThatHasSaved()
    for (ranks, rows) in [(3, 1200), (1, 1500)] {
      let result = try CommandLineRun.succeed(
        ["stream", "job.json", "--resume", "--set", "stream.limit=\(rows)"], ranks: ranks, in: folder.directory)
      #expect(result.standardError.contains("resumed after row"), "\(result)")
    }
    #expect(abs(try folder.means()[2] - 2_999.5) < 1e-3)
    #expect(Set(try folder.classes()) == ["a", "b", "c", "d"])
  }

  /// Numbers of HDF5 files, and texts that are numbers beside them, are the same classes.
  @Test func numbersOfHDF5Files() throws {
    let folder = try StreamFolder("classes")
    let names = ["a": "0", "b": "1", "c": "4", "d": "2"]
    for (index, name) in ["c", "d"].enumerated() {
      let rows = Self.rows(0..<500, name, from: 100).map { ($0.values, names[$0.label] ?? "") }
      try folder.directory.write(text: Self.csv(rows), to: "rows-\(index).csv")
    }
    // A shard whose classes are 0 to 4, of which two have no rows.
    let all = try folder.directory.readText("rows-0.csv") + "0,0,0,2\n0,0,0,3\n"
    try folder.directory.write(text: all, to: "all.csv")
    try CommandLineRun.succeed(
      ["prepare", "all.csv", "--target", "kind", "--task", "classification", "--output", "shards"], ranks: 0,
      in: folder.directory)
    let shards = try folder.directory.names(in: "shards").filter { $0.hasPrefix("train-") }.map { "shards/\($0)" }
    for ranks in [1, 2] {
      try job(
        folder, shards + ["rows-1.csv"], "columns: [\"x\", \"y\", \"id\"]", classes: ["0", "1"],
        model: "kind: \"mlp\", hidden: [6]")
      let text = try folder.directory.readText("job.json")
      try folder.directory.write(
        text: text.replacing("target: \"kind\"", with: "target: \"targets\""), to: "numbers.json")
      try folder.directory.write(
        text: try folder.directory.readText("rows-1.csv").replacing("kind", with: "targets"), to: "rows-1.csv")
      try CommandLineRun.succeed(["stream", "numbers.json", "--overwrite"], ranks: ranks, in: folder.directory)
      #expect(try folder.classes() == ["0", "1", "2", "3", "4"])
      #expect(try folder.metrics().last?["malformed"] == nil)
    }
  }

  /// Labels that are damaged do not make models without end, and are counted.
  @Test(arguments: [1, 2]) func damagedLabelsAreLeftOut(ranks: Int) throws {
    let folder = try StreamFolder("classes")
    let damaged = Self.rows(0..<300, "c", from: 0).enumerated().map { row, content in
      (content.values, row >= 200 ? ["?\(row)", "", "NA", String(repeating: "x", count: 300)][row % 4] : content.label)
    }
    for index in 0..<2 { try folder.directory.write(text: Self.csv(damaged), to: "rows-\(index).csv") }
    try job(folder, ["rows-0.csv", "rows-1.csv"], "most_classes: 5")
    let result = try CommandLineRun.succeed(["stream", "job.json"], ranks: ranks, in: folder.directory)
    let classes = try folder.classes()
    #expect(classes.count == 5 && classes.contains("c") && classes.contains { $0.hasPrefix("?") })
    let last = try #require(try folder.metrics().last)
    // Two labels of a row each are classes, and stand in both sources.
    #expect(last["rows"] as? Int == 404 && last["malformed"] as? Int == 196, "\(last)")
    #expect(result.standardError.contains("cannot be learned"), "\(result)")
  }

  @Test(arguments: [
    ("malformed", "", 0), ("skip", "malformed: \"fail\",", 0), ("malformed", "malformed: \"fail\",", 65),
    ("fail", "", 65),
  ]) func whatElseMayBecomeOfUnknownClasses(policy: String, more: String, code: Int32) throws {
    let folder = try StreamFolder("classes")
    try folder.directory.write(text: Self.csv(Self.rows(0..<200, "c", from: 100)), to: "rows.csv")
    try job(folder, ["rows.csv"], more)
    let arguments = ["stream", "job.json", "--set", "stream.new_classes=\(policy)"]
    guard code == 0 else {
      try CommandLineRun.fail(
        arguments, ranks: 2, in: folder.directory, code: code,
        says: ["row 102 of 'rows.csv'", "its class is 'c', none of those that are known"])
      return
    }
    try CommandLineRun.succeed(arguments, ranks: 2, in: folder.directory)
    #expect(try folder.metrics().last?["malformed"] as? Int == 20 && folder.classes() == ["a", "b"])
  }

  /// Chances by class are those of the classes that the job names; others have no factor.
  @Test func samplesTakeNewClasses() throws {
    let folder = try StreamFolder("classes")
    let rows = Self.rows(0..<300, "c", from: 100)
    try folder.directory.write(text: Self.csv(rows), to: "rows.csv")
    try job(folder, ["rows.csv"], "", "sample: { classes: [0, 1] }")
    try CommandLineRun.succeed(["stream", "job.json"], ranks: 0, in: folder.directory)
    let last = try #require(try folder.metrics().last)
    #expect(last["rows"] as? Int == rows.count { $0.label != "a" } && last["malformed"] == nil, "\(last)")
    #expect(try folder.classes() == ["a", "b", "c"])
  }

  @Test func jobsThatCannotGrow() throws {
    let folder = try StreamFolder("classes")
    func fail(_ model: String, _ words: [String], classes: [String] = ["a", "b"], _ more: String = "") throws {
      try job(folder, ["rows.csv"], more, classes: classes, model: model)
      try CommandLineRun.fail(["stream", "job.json"], ranks: 0, in: folder.directory, code: 78, says: words)
    }
    try fail("kind: \"logistic\"", ["stream.new_classes", "one score", "\"softmax\""])
    try fail("kind: \"linear\"", ["stream.new_classes", "does not fit a regression"], classes: [])
    try fail("kind: \"softmax\"", ["stream.most_classes", "3 classes"], classes: ["a", "b", "c"], "most_classes: 2")
    try job(folder, ["rows.csv"], "most_classes: 7")
    try CommandLineRun.fail(
      ["stream", "job.json", "--set", "stream.new_classes=skip"], ranks: 0, in: folder.directory, code: 78,
      says: ["stream.most_classes", "stream.new_classes"])
  }

  @Test func aStreamGoesOnWithItsClasses() throws {
    let folder = try StreamFolder("classes")
    try folder.directory.write(text: Self.csv(Self.rows(0..<200, "c", from: 100)), to: "rows.csv")
    try job(folder, ["rows.csv"])
    try CommandLineRun.succeed(["stream", "job.json"], ranks: 0, in: folder.directory)
    try job(folder, ["rows.csv"], classes: ["b", "a"])
    try CommandLineRun.fail(
      ["stream", "job.json", "--resume"], ranks: 2, in: folder.directory, code: 78,
      says: ["has the classes a, b, c, and the job b, a"])
  }
}
