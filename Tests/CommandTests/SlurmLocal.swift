import Foundation
import TestSupport
import Testing

/// The Slurm that `Scripts/local-slurm` starts.
final class SlurmLocal: Sendable {
  /// The one that runs while a suite with the trait ``SlurmTrait`` does.
  @TaskLocal static var current: SlurmLocal?

  static let isInstalled: Bool = ["munged", "slurmctld", "slurmd", "sbatch", "srun"].allSatisfy { program in
    let path = (ProcessInfo.processInfo.environment["PATH"] ?? "") + ":/usr/sbin:/sbin"
    return path.split(separator: ":").contains { FileManager.default.isExecutableFile(atPath: "\($0)/\(program)") }
  }

  private static let script = PackageRoot.file("Scripts/local-slurm")
  /// Lines of bash that point a shell at it.
  private let exports: String
  /// Its folder, which is in the command line or the environment of each of its processes.
  private let state: String

  init(nodes: Int) throws {
    // It stops by itself should this process be killed before it can stop it.
    let start = try Run.program(
      Self.script, ["start", "\(ProcessInfo.processInfo.processIdentifier)"],
      environment: ["APUS_SLURM_NODES": "\(nodes)"])
    try #require(start.exitCode == 0, "\(start)")
    exports = start.standardOutput
    state = try Run.shell("\(exports)\ndirname \"$SLURM_CONF\"").outputLines[0]
  }

  /// Ends its jobs and its daemons.
  /// - Throws: if that fails; a process of it that is left is an issue.
  func stop() throws {
    let stop = try Run.program(Self.script, ["stop", state])
    try #require(stop.exitCode == 0, "\(stop)")
    // The brackets keep the search from finding itself.
    let pattern = state.replacing("apus-slurm", with: "apus-slur[m]")
    let left = try Run.shell("grep -lzs -- '\(pattern)' /proc/[0-9]*/cmdline /proc/[0-9]*/environ")
    #expect(left.outputLines.isEmpty, "left by Slurm")
  }

  /// Queues a batch script from a folder.
  /// - Parameters:
  ///   - variables: what the script finds in its environment, besides `APUS`.
  ///   - options: more of `sbatch`; they count above those in the script.
  func submit(
    _ script: String, _ variables: String..., options: [String] = [], in folder: JobsFolder
  ) throws -> Int {
    // Ranks cannot have a core each where there is only one.
    let binding = ProcessInfo.processInfo.activeProcessorCount < 2 ? ["BIND=none"] : []
    let export = (["ALL", "APUS=\(Binaries.fastest)"] + variables + binding).joined(separator: ",")
    let answer = try folder.text(
      "\(exports)\nsbatch --parsable --export='\(export)' \(options.joined(separator: " ")) \(script)")
    return try #require(Int(answer.trimmingCharacters(in: .whitespacesAndNewlines)))
  }

  /// Runs one of Slurm's programs, which must succeed.
  @discardableResult
  func text(_ line: String) throws -> String {
    let result = try Run.shell("\(exports)\n\(line)")
    try #require(result.exitCode == 0, "\(result)")
    return result.standardOutput
  }

  /// What Slurm says of a job: `JobState`, `ExitCode` (`0:0`), `Restarts` and so on.
  func describe(_ job: Int) throws -> [String: String] {
    let words = try text("scontrol --oneliner show job \(job)").split(whereSeparator: \.isWhitespace)
    let pairs = words.compactMap { word in
      word.firstIndex(of: "=").map { (String(word[..<$0]), String(word[word.index(after: $0)...])) }
    }
    return Dictionary(pairs) { first, _ in first }
  }

  /// Waits until a job has ended, or time is over.
  /// - Returns: what Slurm says of it then.
  func wait(for job: Int, timeout: Duration = Patience.most) async throws -> [String: String] {
    let deadline = ContinuousClock.now + timeout
    while true {
      let description = try describe(job)
      let isUnderWay = ["PENDING", "CONFIGURING", "RUNNING", "COMPLETING", "REQUEUED", "SUSPENDED", "SIGNALING"]
        .contains(
          description["JobState"])
      if !isUnderWay || ContinuousClock.now > deadline { return description }
      try await Task.sleep(for: .milliseconds(100))
    }
  }
}

/// Starts a Slurm before the tests of a suite, and stops it after them whatever they do.
struct SlurmTrait: SuiteTrait, TestScoping {
  let nodes: Int

  func provideScope(
    for test: Test, testCase: Test.Case?, performing function: @Sendable () async throws -> Void
  ) async throws {
    let slurm = try SlurmLocal(nodes: nodes)
    let result: Result<Void, any Error>
    do {
      try await SlurmLocal.$current.withValue(slurm) { try await function() }
      result = .success(())
    } catch {
      result = .failure(error)
    }
    try slurm.stop()
    try result.get()
  }
}

extension Trait where Self == SlurmTrait {
  /// A Slurm of `nodes` nodes runs while the tests of the suite do: ``SlurmLocal/current``.
  static func localSlurm(nodes: Int) -> Self { Self(nodes: nodes) }
}
