import Foundation
import Glibc
import TestSupport
import Testing

/// `apus train --from` of the model in its own output.
extension IncrementalTests {
  private func update(_ keys: [String] = [], _ options: [String] = []) -> [String] {
    next(keys, options, output: "old")
  }

  private func shell(_ program: String, _ arguments: [String]) throws {
    let result = try Run.program(program, arguments, workingDirectory: folder.path)
    #expect(result.exitCode == 0, "\(result)")
  }

  /// All files of a run but those that are hidden, and what is in them.
  private func files(_ run: String = "old") throws -> [String: [UInt8]] {
    let names = try #require(try? FileManager.default.subpathsOfDirectory(atPath: folder.file(run)))
    var found: [String: [UInt8]] = [:]
    for name in names where !name.split(separator: "/").contains(where: { $0.hasPrefix(".") }) {
      found[name] = try? folder.read("\(run)/\(name)")
    }
    return found
  }

  /// What lies in the run then is what a training beside it would have left.
  @Test(arguments: [1, 3]) func updatesAModelInItsPlace(ranks: Int) throws {
    try first(["checkpoint.every_steps=20"])
    let keys = ["checkpoint.every_steps=20", "from.optimizer=true", "from.tolerance=0.9"]
    try CommandLineRun.succeed(next(keys), ranks: 1, in: folder)
    let result = try CommandLineRun.succeed(update(keys), ranks: ranks, in: folder)
    #expect(result.standardOutput.contains("old/model.safetensors"), "\(result)")
    let (updated, beside) = (try files(), try files("new"))
    let own = ["job.json", "metrics.jsonl", "update.json"]
    func names(_ files: [String: [UInt8]]) -> Set<String> { Set(files.keys.filter { !$0.contains("/") }) }
    #expect(names(updated).symmetricDifference(names(beside)) == ["update.json"])
    // Ranks write parts of checkpoints of their own.
    for name in beside.keys where !own.contains(name) && !name.hasPrefix("checkpoints") {
      #expect(updated[name] == beside[name], "\(name)")
    }
    #expect(try folder.names(in: "old/checkpoints") == folder.names(in: "new/checkpoints"))
    #expect(try folder.readText("old/job.json").contains("\"output\": \"old\""))
    // The month after goes on with what the first one left.
    let month = try CommandLineRun.succeed(update(keys + ["train.epochs=2"]), ranks: 2, in: folder)
    #expect(month.standardOutput.contains("old rows") && !folder.contains("old/update"), "\(month)")
    #expect(try files()["model.safetensors"] != updated["model.safetensors"])
  }

  /// A model that is refused leaves what was there, byte for byte; also where the run is named by a symbolic link.
  @Test(arguments: [1, 3]) func refusesAnUpdate(ranks: Int) throws {
    try first(["checkpoint.every_steps=20"])
    let before = try files()
    let keys = ["from.replay_times=0", "from.old_data=first", "train.epochs=30"]
    symlink("old", folder.file("link"))
    var command = update(keys + ["from.tolerance=0.03"])
    command[3] = "link"
    let result = try CommandLineRun.apus(command, ranks: ranks, in: folder)
    #expect(result.exitCode == 79 && result.messages.count == 1, "\(result)")
    #expect(
      result.standardError.contains("'link' is as it was; the new model is 'old/update/refused.safetensors'\n"),
      "\(result)")
    #expect(try files().filter { !$0.key.hasPrefix("update") } == before)
    #expect(try json("old/update/comparison.json")["accepted"] as? Bool == false)
    // It stays to be looked at, until somebody says that it may go.
    try CommandLineRun.fail(
      update(keys), ranks: ranks, in: folder, code: 73, says: ["'old/update' holds a run already"])
    #expect(try files().filter { !$0.key.hasPrefix("update") } == before)
    try CommandLineRun.succeed(update(keys + ["from.tolerance=1"], ["--overwrite"]), ranks: ranks, in: folder)
    #expect(try files()["model.safetensors"] != before["model.safetensors"] && !folder.contains("old/update"))
    #expect(try json("old/comparison.json")["accepted"] as? Bool == true)
  }

  /// kill -9 in an update leaves the run as it was, and the update goes on.
  @Test func aKilledUpdateGoesOn() throws {
    try first()
    let before = try files()
    let running = try MPILauncher.start(
      ranks: 2, Binaries.apus, update(["train.epochs=1000000", "checkpoint.every_steps=5"]),
      options: CommandLineRun.impatient, workingDirectory: folder.path)
    func steps() -> [Int] {
      ((try? folder.names(in: "old/update/checkpoints")) ?? []).compactMap { Int($0.dropFirst(5)) }
    }
    #expect(running.wait(timeout: .seconds(60)) { !steps().isEmpty })
    kill(try CommandLineRun.process(ofRank: 1, in: running), SIGKILL)
    #expect(running.wait(timeout: .seconds(60)).exitCode != 0)
    #expect(try files().filter { !$0.key.hasPrefix("update") } == before)
    let epochs = try #require(steps().max()) / 10 + 2
    let result = try CommandLineRun.succeed(
      update(["train.epochs=\(epochs)", "checkpoint.every_steps=5"], ["--resume"]), ranks: 3, in: folder)
    #expect(result.standardError.contains("resumed after step"), "\(result)")
    #expect(try files()["model.safetensors"] != before["model.safetensors"] && !folder.contains("old/update"))
  }

  /// Cut off anywhere while the new model takes the place of the old one, the next start ends it; and `--resume` does nothing twice.
  @Test(arguments: 0...6) func anInterruptedReplacementIsEnded(moved: Int) throws {
    try first(["checkpoint.every_steps=20"])
    try shell("cp", ["-a", folder.file("old"), folder.file("saved")])
    let keys = ["checkpoint.every_steps=20"]
    try CommandLineRun.succeed(update(keys), ranks: 0, in: folder)
    let after = try files()
    // As it was when so many pieces had been moved.
    let pieces = [
      "replay", "checkpoints", "metrics.jsonl", "comparison.json", "update.json", "job.json", "model.safetensors",
    ]
    try FileManager.default.createDirectory(atPath: folder.file("old/update"), withIntermediateDirectories: true)
    for piece in pieces[moved...] {
      try shell("mv", [folder.file("old/\(piece)"), folder.file("old/update/\(piece)")])
      if folder.contains("saved/\(piece)") {
        try shell("cp", ["-a", folder.file("saved/\(piece)"), folder.file("old/\(piece)")])
      }
    }
    let result = try CommandLineRun.succeed(update(keys, ["--resume"]), ranks: 2, in: folder)
    #expect(result.standardOutput.contains("has been trained with these data already"), "\(result)")
    #expect(try files() == after)
    guard moved == 0 else { return }
    // Other rows under the same name are new ones.
    try shell(
      "touch", [folder.file("next/dataset.json")] + (try folder.names(in: "next").map { folder.file("next/\($0)") }))
    let next = try CommandLineRun.succeed(update(keys, ["--resume"]), ranks: 1, in: folder)
    #expect(next.standardOutput.contains("trained  "), "\(next)")
    #expect(try files()["model.safetensors"] != after["model.safetensors"])
  }

  @Test func oneUpdateAtATime() throws {
    try first()
    let before = try files()
    let running = try MPILauncher.start(
      ranks: 1, Binaries.apus, update(["train.epochs=1000000", "checkpoint.every_steps=5"]),
      options: CommandLineRun.impatient, workingDirectory: folder.path)
    defer {
      running.send(SIGTERM)
      _ = running.wait()
    }
    #expect(running.wait(timeout: .seconds(60)) { folder.contains("old/update/checkpoints") })
    for command in [update(), ["train", "job.json", "--overwrite"], update([], ["--resume"])] {
      try CommandLineRun.fail(command, ranks: 1, in: folder, code: 73, says: ["another apus train writes there"])
    }
    #expect(try files().filter { !$0.key.hasPrefix("update") } == before)
  }
}
