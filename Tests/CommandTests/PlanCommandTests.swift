import Foundation
import JSON
import TestSupport
import Testing

/// `apus plan` as a user runs it.
@Suite struct PlanCommandTests {
  let folder: TemporaryDirectory

  init() throws {
    folder = try TemporaryDirectory("plan")
    try CommandLineRun.succeed(
      ["generate", "blobs", "--rows", "100", "--columns", "8", "--classes", "4", "--output", "data"], ranks: 0,
      in: folder)
    try folder.write(
      text: """
        { data: { path: "data", split: "train" }, model: { kind: "mlp", hidden: [8, 8] },
          train: { batch_size: 16 }, parallel: { virtual_ranks: 4 } }
        """, to: "job.json")
    // Layers of 8 take 10 us a row and pass; a message within a node takes 1 us, and bytes pass at 1 GB/s.
    let line = "[[0, 0], [1, 10]]"
    let layers = [("first", 8), ("inner", 8), ("last", 4)].map {
      "{inputs: 8, outputs: \($0.1), role: '\($0.0)', forward: \(line), backward: \(line)}"
    }
    let curves = ["update", "addition", "check", "gathering", "loading"].map { "\($0): [[0, 0]]" }
    try folder.write(
      text: """
        {host: "paper", ranks: 1, memory_bytes: 4000000000, layers: [\(layers.joined(separator: ", "))],
         \(curves.joined(separator: ", ")), exchange: [[0, 1], [1000, 2]]}
        """, to: "machine.json")
  }

  private let twoNodes = ["--ranks", "2", "--ranks-per-node", "1", "--bandwidth", "8Mbit/s", "--latency", "1ms"]

  /// Layers of one rank: 16 rows × 3 layers × 20 us = 960 us.
  @Test func thePlanInWords() throws {
    let result = try CommandLineRun.succeed(
      ["plan", "job.json", "--machine", "machine.json"] + twoNodes, ranks: 0, in: folder)
    #expect(result.standardError.isEmpty, "\(result)")
    #expect(
      result.outputLines.prefix(6) == [
        "model     mlp 8-8-8-4, loss softmax, 180 parameters",
        "step      16 rows of 80, optimizer adam, reduction ordered",
        "cluster   2 ranks on 2 nodes of 1, 977 KiB/s and 1.0 ms between them, 3.7 GiB a node",
        "measured  3 layers on paper, 1 rank; within a node 950 MiB/s and 1.0 us", "",
        "data  pipeline  tensor  shard  micro  step ms  computing  waiting  communication  GB a rank  efficiency  samples/s",
      ], "\(result)")
    let rows = result.outputLines.dropFirst(6).prefix { !$0.isEmpty }
    #expect(rows.count == 4, "\(result)")
    let steps = rows.compactMap { Double($0.split(separator: " ")[5]) }
    #expect(steps == steps.sorted() && steps.count == 4)
    #expect(result.outputLines.last?.hasPrefix("best: ") == true)
  }

  /// A program gets the same on any number of ranks, with all that it was made from; the saved machine gives the same plan.
  @Test func thePlanForPrograms() throws {
    let words = ["plan", "job.json", "--machine", "machine.json", "--json"] + twoNodes
    let alone = try CommandLineRun.succeed(words, ranks: 0, in: folder).standardOutput
    #expect(try CommandLineRun.succeed(words, ranks: 2, in: folder).standardOutput == alone)
    let plan = try JSONNode(parsing: Array(alone.utf8))
    let layouts = try #require(plan["layouts"]?.asArray)
    let steps = layouts.compactMap { $0["step_ms"]?.asDouble }
    #expect(steps.count == layouts.count && plan["best"]?["step_ms"]?.asDouble == steps.min())
    for layout in layouts {
      let parts = ["computing_ms", "waiting_ms", "communication_ms"].compactMap { layout[$0]?.asDouble }
      let step = try #require(layout["step_ms"]?.asDouble)
      #expect(parts.count == 3 && abs(parts.reduce(0, +) - step) < 1e-9 * step)
    }
    // Two copies, 0.48 ms of passes: 180 parameters and what is behind them are 192 floats, half of them sent twice; 0.1 ms of that is
    // hidden behind the backward pass.
    let copies = try #require(
      layouts.first {
        $0["data"]?.asInt == 2 && $0["shard_optimizer"]?.asBool == false && $0["micro_batches"]?.asInt == 1
      })
    #expect(abs((copies["step_ms"]?.asDouble ?? 0) - (0.48 + 2 * (1 + 0.384) - 0.1)) < 1e-9)
    #expect(plan["machine"]?["host"]?.asString == "paper")
  }

  /// What is measured is saved, and the saved machine plans without measuring.
  @Test func measuredHere() throws {
    let words = ["plan", "job.json", "--ranks", "2"]
    let first = try CommandLineRun.succeed(words + ["--save-machine", "here.json"], ranks: 2, in: folder)
    #expect(first.outputLines.contains { $0.contains(", 2 ranks at a time; within a node ") }, "\(first)")
    let second = try CommandLineRun.succeed(words + ["--machine", "here.json"], ranks: 0, in: folder)
    #expect(second.standardOutput == first.standardOutput)
  }

  @Test func nothingFits() throws {
    let result = try CommandLineRun.succeed(
      ["plan", "job.json", "--ranks", "2", "--machine", "machine.json", "--memory-per-node", "1kB"], ranks: 0,
      in: folder)
    #expect(result.outputLines.last == "no layout fits into the memory of a node", "\(result)")
    #expect(result.outputLines.contains { $0.contains("too large: 0.0 GB a node") })
  }

  @Test func refused() throws {
    let cases: [(words: [String], code: Int32, message: String)] = [
      (["none.json", "--ranks", "4"], 66, "the job file 'none.json' does not exist"),
      (["job.json", "--ranks", "4", "--set", "data.path=nowhere"], 66, "nowhere"),
      (["job.json", "--ranks", "4", "--set", "model.kind=tree"], 78, "model.kind"),
      (["job.json", "--ranks", "4", "--machine", "none.json"], 66, "none.json"),
      (["job.json", "--ranks", "4", "--machine", "job.json"], 65, "job.json:1:1: 'host' is missing: a text"),
      (["job.json", "--ranks", "1", "--save-machine", "no/where.json"], 73, "no/where.json"),
    ]
    for (words, code, message) in cases {
      try CommandLineRun.fail(["plan"] + words, ranks: 0, in: folder, code: code, says: [message])
    }
  }

  /// All ranks end alike, with one message.
  @Test func refusedOnRanks() throws {
    try CommandLineRun.fail(
      ["plan", "job.json", "--ranks", "2", "--machine", "job.json"], ranks: 2, in: folder, code: 65, says: ["'host'"])
    try CommandLineRun.fail(
      ["plan", "job.json", "--ranks", "1", "--save-machine", "no/where.json"], ranks: 2, in: folder, code: 73,
      says: ["no/where.json"])
  }
}
