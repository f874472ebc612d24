import Foundation
import TestSupport
import Testing

/// Sums of gradients that go rounded between the hosts of one machine.
@Suite(.serialized, .enabled(if: LocalHosts.obstacle.isEmpty, "\(LocalHosts.obstacle)"))
struct WireTests {
  private let hosts: LocalHosts
  private let digits: DigitsTraining
  private let job: String

  init() throws {
    hosts = try LocalHosts(count: 2)
    digits = try DigitsTraining()
    job = try digits.job(
      "wire", optimizer: "kind: \"adam\", learning_rate: 3e-3", train: "steps: 120, batch_size: 64",
      more: "parallel: { virtual_ranks: 4, wire: \"bfloat16\" }, checkpoint: { every_steps: 1000, every_seconds: 0 },",
      hidden: [64])
  }

  private static let places = [("host1:1,host2:1", 2), ("host1:2,host2:2", 4)]

  private func run(_ places: (String, Int), _ run: DigitsRun, _ options: [String]) throws -> RunResult {
    let result = try hosts.run(places.0, ranks: places.1, Binaries.apus, digits.arguments(job, run, options))
    try #require(result.exitCode == 0, "\(result)")
    return result
  }

  private func train(_ places: (String, Int), _ output: String, _ options: String...) throws -> DigitsRun {
    let run = DigitsRun(digits.directory.file(output))
    _ = try self.run(places, run, options.flatMap { $0 == "--resume" ? [$0] : ["--set", $0] })
    return run
  }

  private func expectLike(
    _ run: DigitsRun, _ other: DigitsRun, sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    let (found, expected) = (try run.log.validations.last, try other.log.validations.last)
    let (loss, accuracy) = (found?.validationLoss ?? .nan, found?.validationAccuracy ?? 0)
    #expect(abs(loss - (expected?.validationLoss ?? .nan)) <= 0.02 * loss, sourceLocation: sourceLocation)
    #expect(abs(accuracy - (expected?.validationAccuracy ?? .nan)) <= 0.01, sourceLocation: sourceLocation)
  }

  /// The model is nearly that of exact sums; on one host it is that, bit for bit.
  @Test(arguments: places) func trainsAsWellAsWithExactSums(_ places: (String, Int)) throws {
    let exact = try train(places, "exact", "parallel.wire=float32")
    let rounded = try train(places, "rounded")
    try expectLike(rounded, exact)
    #expect(try rounded.tensors != exact.tensors)
    #expect(try train(places, "again", "parallel.bucket_bytes=1000").tensors == rounded.tensors)
    #expect(try train(("host1:3", 3), "inside").tensors == exact.tensors)
  }

  /// What rounding had left over when the checkpoint was written is lost: a resume is always the same, and like a training without one.
  @Test(arguments: places) func resumes(_ places: (String, Int)) throws {
    let whole = try train(places, "whole")
    let first = try train(places, "first", "train.steps=60")
    for name in ["second", "third"] {
      try FileManager.default.copyItem(atPath: first.path, toPath: digits.directory.file(name))
    }
    let resumed = try train(places, "first", "--resume")
    #expect(try train(places, "second", "--resume").tensors == resumed.tensors)
    let others = try train(("host1:2,host2:1", 3), "third", "--resume")
    for run in [resumed, others] {
      try expectLike(run, whole)
      #expect(try run.tensors != whole.tensors)
    }
  }

  @Test func dryRunKnowsTheBytes() throws {
    let nowhere = DigitsRun(digits.directory.file("none"))
    func bytes(_ places: (String, Int), _ wire: String) throws -> Int {
      let text = try run(places, nowhere, ["--dry-run", "--set", "parallel.wire=\(wire)"]).standardOutput
      #expect(text.contains("bfloat16 between hosts") == (wire == "bfloat16"))
      let isInside = places.0 == "host1:3" && wire == "bfloat16"
      #expect(text.contains("float32, since all ranks are on one host") == isInside)
      let line = text.split(separator: "\n").first { $0.hasPrefix("a step moves") } ?? ""
      let numbers = line.replacing(",", with: "").split(separator: " ").compactMap { Int($0) }
      try #require(numbers.count == 4, "\(text)")
      return numbers[1] + numbers[3]
    }
    for places in Self.places {
      let share = Double(try bytes(places, "bfloat16")) / Double(try bytes(places, "float32"))
      #expect(share > 0.5 && share < 0.53, "\(share)")
    }
    #expect(try bytes(("host1:3", 3), "bfloat16") == bytes(("host1:3", 3), "float32"))
  }
}
