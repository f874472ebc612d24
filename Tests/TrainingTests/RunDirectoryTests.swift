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
    try RunDirectory(path, policy: .refuse).write(job: .object([]))
    let refused = failure { _ = try RunDirectory(path, policy: .refuse) }
    #expect(refused?.code == .cannotCreate && refused?.message.contains("job.json") == true)
    #expect(directory.contains("deep/run/job.json"))
    #expect(failure { _ = try RunDirectory(path, policy: .resume) } == nil)
    #expect(directory.contains("deep/run/job.json"))
  }

  /// What belongs to a run goes, what does not stays.
  @Test func overwritingTakesTheRunAlone() throws {
    let path = directory.file("run")
    for name in ["job.json", "metrics.jsonl", "model.safetensors", "checkpoints/step-000000001/x", "notes.txt"] {
      try directory.write(text: "", to: "run/" + name)
    }
    #expect(failure { _ = try RunDirectory(path, policy: .overwrite) } == nil)
    #expect(try directory.names(in: "run").filter { !$0.hasPrefix(".") } == ["notes.txt"])
  }

  @Test func oneRunAtATime() throws {
    let path = directory.file("run")
    let first = try RunDirectory(path, policy: .refuse)
    for policy in [RunDirectory.Policy.resume, .overwrite, .refuse] {
      let locked = failure { _ = try RunDirectory(path, policy: policy) }
      #expect(locked?.code == .cannotCreate && locked?.hint?.contains("another apus train") == true)
    }
    first.unlock()
    #expect(failure { _ = try RunDirectory(path, policy: .resume) } == nil)
  }

  @Test func aFileInTheWay() throws {
    let path = try directory.write(text: "", to: "file")
    #expect(failure { _ = try RunDirectory(path, policy: .refuse) }?.code == .cannotCreate)
    #expect(failure { _ = try RunDirectory(path + "/run", policy: .refuse) }?.code == .cannotCreate)
  }
}
