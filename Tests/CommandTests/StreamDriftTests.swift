import Foundation
import TestSupport
import Testing

/// Drift in streams that `apus generate` makes: seen soon, answered, and not seen where there is none.
@Suite(.serialized)
struct StreamDriftTests {
  private static let rows = 40_000

  private static let job = """
    {
      stream: { sources: "data", target: "targets", log_rows: 1000 },
      model: { kind: "logistic" },
      optimizer: { kind: "sgd", learning_rate: 0.02 },
      schedule: { kind: "inverse_time", decay: 1e-3 },
      drift: { detector: "adwin", delta: 1e-4 },
      output: "run",
    }
    """

  private func generate(_ drift: [String], rows: Int = rows) throws -> StreamFolder {
    let folder = try StreamFolder("drift")
    try folder.directory.write(text: Self.job, to: "job.json")
    let arguments =
      [
        "generate", "logistic", "--rows", "\(rows)", "--columns", "8", "--noise", "0.02", "--test", "0", "--output",
        "data",
      ]
    try run(arguments + drift, folder)
    return folder
  }

  @discardableResult
  private func run(_ arguments: [String], _ folder: StreamFolder) throws -> RunResult {
    let result = try Run.program(
      Binaries.fastest, arguments, environment: MPILauncher.environment, workingDirectory: folder.directory.path)
    #expect(result.exitCode == 0, "\(result)")
    return result
  }

  /// The rows at which drift was seen.
  private func drifts(_ folder: StreamFolder, _ run: String = "run") throws -> [Int] {
    try folder.metrics(run).compactMap { $0["drift"] as? String == "drift" ? $0["rows"] as? Int : nil }
  }

  @Test(arguments: ["switch", "raise_rate", "reset_optimizer"]) func abruptDriftIsSeenAndAnswered(action: String) throws
  {
    let folder = try generate(["--drift", "abrupt"])
    let change = Self.rows / 2
    try run(["stream", "job.json"], folder)
    try run(["stream", "job.json", "--set", "drift.on_drift=\(action)", "--set", "output=answered"], folder)
    for name in ["run", "answered"] {
      let first = try #require(try drifts(folder, name).first)
      #expect(first > change && first <= change + 500, "\(name) \(first)")
    }
    let report = try #require(try folder.metrics().last?["accuracy"] as? Double)
    let answered = try #require(try folder.metrics("answered").last?["accuracy"] as? Double)
    // Two thousand rows after the change.
    let recovered = try #require(
      try folder.metrics("answered").first {
        ($0["rows"] as? Int ?? 0) >= change + 2000 && $0["window_accuracy"] != nil
      }?[
        "window_accuracy"] as? Double)
    if action != "reset_optimizer" {
      #expect(answered > report + 0.05, "\(answered) \(report)")
      #expect(recovered > 0.75, "\(recovered)")
    }
    let switches = try folder.metrics("answered").contains { $0["switch"] as? String == "fresh" }
    #expect(switches == (action == "switch"))
  }

  @Test func noDriftNoAlarm() throws {
    let folder = try generate([], rows: 100_000)
    try run(["stream", "job.json"], folder)
    #expect(try drifts(folder).count <= 1)
  }

  /// A feature that means nothing moves: the errors do not show it, the features do, and which of them it is is said.
  @Test func featuresThatDriftAreNamed() throws {
    let folder = try StreamFolder("features")
    try folder.directory.write(text: Self.job, to: "job.json")
    try Python.text(
      """
      import numpy
      random = numpy.random.default_rng(3)
      rows = 12_000
      x = random.standard_normal((rows, 3))
      y = (x[:, 0] > 0).astype(int)
      x[rows // 2:, 2] += 3
      with open("rows.csv", "w") as file:
          file.write("cause,noise,moves,targets\\n")
          file.writelines(f"{a:.5f},{b:.5f},{c:.5f},{label}\\n" for (a, b, c), label in zip(x, y))
      """, workingDirectory: folder.directory.path)
    let settings = ["--set", "stream.sources=rows.csv", "--set", "drift.features=true"]
    try run(["stream", "job.json"] + settings, folder)
    let seen = try folder.metrics().filter { $0["drift"] as? String == "drift" }
    let first = try #require(seen.first)
    let row = try #require(first["rows"] as? Int)
    #expect(row > 6_000 && row <= 6_500, "\(seen)")
    // Errors come and go while the model adapts; of the features only one has changed.
    let columns = seen.compactMap { $0["columns"] as? [String] }
    #expect(!columns.isEmpty && columns.allSatisfy { $0 == ["moves"] }, "\(seen)")
  }

  /// Two ranks see the drift in what both of them predict, and answer alike, however they combine.
  @Test(arguments: StreamCombinationTests.forms) func ranksSeeDriftTogether(form: String) throws {
    let folder = try generate(["--drift", "abrupt", "--shards", "2"])
    // The first shard ends where the world changes: each rank gets rows of both worlds.
    try Python.text(
      """
      import h5py
      parts = [h5py.File(f"data/train-0000{i}-of-00002.h5") for i in range(2)]
      for rank in range(2):
          with h5py.File(f"part-{rank}.h5", "w") as file:
              for name in ("features", "targets"):
                  file[name] = [row for part in parts for row in part[name][rank::2]]
      """, workingDirectory: folder.directory.path)
    let arguments = [
      "stream", "job.json", "--set", "stream.sources=[\"part-0.h5\", \"part-1.h5\"]", "--set", "drift.on_drift=switch",
      "--set", "stream.combine=\(form)",
    ]
    let result = try MPILauncher.run(
      ranks: 2, Binaries.fastest, arguments, workingDirectory: folder.directory.path)
    #expect(result.exitCode == 0 && result.standardOutput.contains("40,000 rows"), "\(result)")
    let first = try #require(try drifts(folder).first)
    #expect(first > Self.rows / 2 - 100 && first <= Self.rows / 2 + 600, "\(first)")
    #expect(try folder.metrics().contains { $0["switch"] as? String == "fresh" })
  }
}
