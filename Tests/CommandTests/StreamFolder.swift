import Foundation
import TestSupport
import Testing

/// A folder in which a test streams rows that carry their numbers, so that which of them were learned shows in the statistics of the model.
final class StreamFolder: Sendable {
  let directory: TemporaryDirectory

  init(_ label: String = "stream") throws { directory = try TemporaryDirectory(label) }

  /// Rows `range` of a table: a number of its own, a feature that says the class, and noise.
  static func csv(_ range: Range<Int>, header: Bool = true) -> String {
    let lines = range.map { row in
      let label = (row * 7919) % 3 == 0 ? 1 : 0
      return "\(row),\(label == 1 ? 2 : -1).\((row * 31) % 10),\((row * 17) % 100),\(label)"
    }
    return ((header ? ["id,a,b,target"] : []) + lines).map { $0 + "\n" }.joined()
  }

  /// The same rows as JSON lines.
  static func jsonLines(_ range: Range<Int>) -> String {
    csv(range, header: false).split(separator: "\n").map { line in
      let fields = line.split(separator: ",")
      return "{\"id\": \(fields[0]), \"a\": \(fields[1]), \"b\": \(fields[2]), \"target\": \(fields[3])}\n"
    }.joined()
  }

  /// Writes a job on `sources`; returns its path.
  @discardableResult
  func job(
    _ sources: [String], stream: String = "", _ rest: String = "", optimizer: String = "sgd", name: String = "job.json",
    output: String = "run"
  ) throws -> String {
    let list = sources.map { "\"\($0)\"" }.joined(separator: ", ")
    return try directory.write(
      text: """
        {
          stream: { sources: [\(list)], \(stream) },
          model: { kind: "logistic" },
          optimizer: { kind: "\(optimizer)", learning_rate: 0.05 },
          output: "\(output)",
          \(rest)
        }
        """, to: name)
  }

  /// Runs job.json on two ranks, which wait for more rows at the end, and kills one of them when a checkpoint is there: the job ends.
  func killARankThatHasSaved(sourceLocation: SourceLocation = #_sourceLocation) throws {
    let running = try MPILauncher.start(
      ranks: 2, Binaries.apus, ["stream", "job.json", "--set", "stream.follow=true"], options: CommandLineRun.impatient,
      workingDirectory: directory.path)
    let hasSaved = running.wait {
      ((try? directory.names(in: "run/checkpoints")) ?? []).contains { $0.hasPrefix("step-") }
    }
    #expect(hasSaved, sourceLocation: sourceLocation)
    kill(try CommandLineRun.process(ofRank: 1, in: running), SIGKILL)
    #expect(running.wait().exitCode != 0, sourceLocation: sourceLocation)
  }

  /// The lines of `metrics.jsonl` of a run.
  func metrics(_ run: String = "run") throws -> [[String: Any]] {
    try directory.readText("\(run)/metrics.jsonl").split(separator: "\n").map {
      try #require(try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any])
    }
  }

  /// Deals the rows of the electricity data set to files, each a part of them in their order, or as if shuffled; returns their names.
  func electricity(parts: Int, isShuffled: Bool) throws -> [String] {
    let table = try Run.program("gzip", ["-dc", PackageRoot.file("Datasets/electricity/electricity.csv.gz")])
    let lines = table.standardOutput.split(separator: "\n")
    let rows = lines.count - 1
    return try (0..<parts).map { part in
      // The factor is a prime, so that each row is somewhere.
      let factor = isShuffled ? 7919 : 1
      let own = (part * rows / parts..<(part + 1) * rows / parts).map { lines[1 + $0 * factor % rows] }
      try directory.write(text: (lines[0..<1] + own).joined(separator: "\n") + "\n", to: "part-\(part).csv")
      return "part-\(part).csv"
    }
  }

  /// What each rank has in the newest checkpoint of a run.
  func ranks(_ run: String = "run") throws -> [[String: Any]] {
    let newest = try #require(try directory.names(in: "\(run)/checkpoints").last { $0.hasPrefix("step-") })
    let text = try directory.readText("\(run)/checkpoints/\(newest)/stream.json")
    let root = try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
    return try #require(root["ranks"] as? [[String: Any]])
  }

  /// What each rank has learned in the newest checkpoint of a run.
  func learners(_ run: String = "run") throws -> [[String: Any]] {
    try ranks(run).map { rank in
      try #require((rank["learner"] as? [String: Any])?["learner"] as? [String: Any])
    }
  }

  /// The state of each source in the newest checkpoint of a run, by its path.
  func positions(_ run: String = "run") throws -> [String: [String: Any]] {
    var found: [String: [String: Any]] = [:]
    for rank in try ranks(run) {
      for position in try #require(rank["positions"] as? [[String: Any]]) {
        found[try #require(position["path"] as? String)] = position
      }
    }
    return found
  }

  /// The mean of each column over all rows that were learned, as the model file has it.
  func means(_ run: String = "run") throws -> [Double] {
    let normalization = try #require(try modelMetadata(run)["normalization"])
    let node = try #require(try JSONSerialization.jsonObject(with: Data(normalization.utf8)) as? [String: Any])
    return try #require(node["means"] as? [Double])
  }

  /// The names of the classes, as the model file has them.
  func classes(_ run: String = "run") throws -> [String] {
    let classes = try #require(try modelMetadata(run)["classes"])
    return try #require(try JSONSerialization.jsonObject(with: Data(classes.utf8)) as? [String])
  }

  private func modelMetadata(_ run: String) throws -> [String: String] {
    let bytes = try directory.read("\(run)/model.safetensors")
    let length = (0..<8).reduce(0) { $0 | Int(bytes[$1]) << (8 * $1) }
    let header = try #require(
      try JSONSerialization.jsonObject(with: Data(bytes[8..<8 + length])) as? [String: Any])
    return try #require(header["__metadata__"] as? [String: String])
  }
}
