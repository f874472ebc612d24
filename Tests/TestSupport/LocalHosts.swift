import Foundation

/// The hosts on this machine that `Scripts/local-hosts` makes: host1, host2, ... They go when the value does.
public final class LocalHosts: Sendable {
  private static let script = PackageRoot.file("Scripts/local-hosts")

  /// Why hosts cannot be made here; empty where they can.
  public static let obstacle: String = {
    guard let check = try? Run.program(script, ["check"]) else { return "Scripts/local-hosts cannot be started" }
    return check.exitCode == 0 ? "" : check.standardError.trimmingCharacters(in: .whitespacesAndNewlines)
  }()

  private let folder: String

  public init(count: Int) throws {
    // They go by themselves should this process be killed before it can stop them.
    let start = try Run.program(
      Self.script, ["start", "\(ProcessInfo.processInfo.processIdentifier)"],
      environment: ["APUS_HOSTS_COUNT": "\(count)"])
    let prefix = "export APUS_HOSTS="
    guard start.exitCode == 0, let line = start.outputLines.first(where: { $0.hasPrefix(prefix) }) else {
      throw RunError(description: "\(start)")
    }
    folder = String(line.dropFirst(prefix.count))
  }

  deinit { _ = try? Run.program(Self.script, ["stop"], environment: ["APUS_HOSTS": folder]) }

  /// Starts a program on `host` and returns at once; `mpirun --host` there reaches the others.
  public func start(
    on host: String, _ program: String, _ arguments: [String], environment: [String: String?] = [:],
    workingDirectory: String? = nil
  ) throws -> RunningProgram {
    let own = MPILauncher.environment.merging(["APUS_HOSTS": folder]) { _, own in own }
    return try Run.start(
      Self.script, ["run", host, program] + arguments, environment: own.merging(environment) { _, given in given },
      workingDirectory: workingDirectory)
  }

  /// Runs a program on ranks on these hosts, as "host1:2,host2:1" names them, to its end or to its timeout. `mpirun` runs on host1.
  public func run(
    _ hosts: String, ranks: Int, _ program: String, _ arguments: [String] = [], options: [String] = [],
    workingDirectory: String? = nil, timeout: Duration = Patience.most
  ) throws -> RunResult {
    try start(
      on: "host1", "mpirun", MPILauncher.flags(ranks: ranks) + ["--host", hosts] + options + [program] + arguments,
      workingDirectory: workingDirectory
    ).wait(timeout: timeout)
  }

  /// Limits what goes through the links of hosts in each direction, as `tc` writes rates ("100mbit"); "off" lifts that.
  public func slow(_ rate: String, _ hosts: String...) throws { try act(["slow", rate] + hosts) }

  /// Cuts links; nobody is told.
  public func cut(_ hosts: String...) throws { try act(["cut"] + hosts) }

  /// Mends links.
  public func mend(_ hosts: String...) throws { try act(["mend"] + hosts) }

  /// Takes the power from hosts: their links are cut and their processes killed. `mend` gives it back.
  public func remove(_ hosts: String...) throws { try act(["remove"] + hosts) }

  /// A line for each host: its link, its processes.
  public var status: String {
    get throws { try act(["status"]) }
  }

  @discardableResult
  private func act(_ words: [String]) throws -> String {
    let result = try Run.program(Self.script, words, environment: ["APUS_HOSTS": folder])
    guard result.exitCode == 0 else { throw RunError(description: "\(result)") }
    return result.standardOutput
  }
}
