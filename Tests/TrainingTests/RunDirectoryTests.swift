import Failures
import JSON
import TestSupport
import Testing

@testable import Training

@Suite struct RunDirectoryTests {
  let directory: TemporaryDirectory

  init() throws { directory = try TemporaryDirectory("runs") }

  private func failure(_ body: () throws -> Void) -> Failure? {
    do {
      try body()
      return nil
    } catch {
      return Failure(error)
    }
  }

  @Test func aRunThatIsThereIsNotTouched() throws {
    let path = directory.file("deep/run")
    try RunDirectory(path, policy: .refuse).begin(job: .object([]))
    // A run that failed before its first step left nothing to lose.
    #expect(failure { _ = try RunDirectory(path, policy: .refuse) } == nil)
    try directory.write(text: "{}", to: "deep/run/metrics.jsonl")
    let refused = failure { _ = try RunDirectory(path, policy: .refuse) }
    #expect(refused?.code == .cannotCreate && refused?.message.contains("job.json, metrics.jsonl") == true)
    #expect(directory.contains("deep/run/job.json"))
    try RunDirectory(path, policy: .resume).begin(job: .object([("output", "x")]))
    #expect(try directory.readText("deep/run/job.json").contains("output"))
    #expect(directory.contains("deep/run/metrics.jsonl"))
  }

  /// What belongs to a run goes when the new one begins, what does not stays.
  @Test func overwritingTakesTheRunAlone() throws {
    let path = directory.file("run")
    for name in ["job.json", "metrics.jsonl", "model.safetensors", "checkpoints/step-000000001/x", "notes.txt"] {
      try directory.write(text: "", to: "run/" + name)
    }
    let replacing = try RunDirectory(path, policy: .overwrite)
    #expect(directory.contains("run/checkpoints/step-000000001/x"))
    try replacing.begin(job: .object([]))
    #expect(try directory.names(in: "run").filter { !$0.hasPrefix(".") } == ["job.json", "notes.txt"])
  }

  @Test func oneRunAtATime() throws {
    let path = directory.file("run")
    let first = try RunDirectory(path, policy: .refuse)
    let locked = failure { _ = try RunDirectory(path, policy: .resume) }
    #expect(locked?.code == .cannotCreate && locked?.hint?.contains("another apus train") == true)
    first.unlock()
    #expect(failure { _ = try RunDirectory(path, policy: .resume) } == nil)
  }

  @Test func aFileInTheWay() throws {
    let path = try directory.write(text: "", to: "file")
    #expect(failure { _ = try RunDirectory(path, policy: .refuse) }?.code == .cannotCreate)
    #expect(failure { _ = try RunDirectory(path + "/run", policy: .refuse) }?.code == .cannotCreate)
  }
}
