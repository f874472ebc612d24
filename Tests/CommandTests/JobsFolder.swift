import Foundation
import TestSupport
import Testing

/// A folder with the jobs and the tables of this package, where a test prepares, trains and evaluates as a user does in a clone.
final class JobsFolder: Sendable {
  /// The names of the folders in Jobs/.
  static let names: [String] =
    ((try? FileManager.default.contentsOfDirectory(atPath: PackageRoot.file("Jobs"))) ?? [])
    .filter { !$0.hasPrefix(".") }.sorted()

  let directory: TemporaryDirectory

  init() throws {
    directory = try TemporaryDirectory("jobs")
    let files = FileManager.default
    try files.createSymbolicLink(atPath: directory.file("Jobs"), withDestinationPath: PackageRoot.file("Jobs"))
    for name in try files.contentsOfDirectory(atPath: PackageRoot.file("Datasets")) {
      try files.createDirectory(atPath: directory.file("Datasets/\(name)"), withIntermediateDirectories: true)
      for table in ["csv", "csv.gz"].map({ "Datasets/\(name)/\(name).\($0)" })
      where files.fileExists(atPath: PackageRoot.file(table)) {
        try files.createSymbolicLink(atPath: directory.file(table), withDestinationPath: PackageRoot.file(table))
      }
    }
  }

  /// The README of a job.
  static func readme(_ job: String) throws -> String {
    try String(contentsOfFile: PackageRoot.file("Jobs/\(job)/README.md"), encoding: .utf8)
  }

  /// The lines of a job's README that are to be typed: one that prepares, one that trains, one that evaluates.
  static func commands(_ job: String) throws -> [String] {
    try readme(job).split(separator: "\n")
      .filter { $0.hasPrefix("    apus ") || $0.hasPrefix("    mpirun ") }.map { String($0.dropFirst(4)) }
  }

  /// Runs a line of bash in the folder; `apus` is on the `PATH`, and ranks may share cores.
  func shell(_ line: String, timeout: Duration = Patience.most) throws -> RunResult {
    try Run.shell(line, environment: Self.environment, workingDirectory: directory.path, timeout: timeout)
  }

  /// Runs a line of bash that must succeed.
  /// - Returns: its standard output.
  @discardableResult
  func text(_ line: String, timeout: Duration = Patience.most) throws -> String {
    let result = try shell(line, timeout: timeout)
    try #require(result.exitCode == 0, "\(result)")
    return result.standardOutput
  }

  private static let environment: [String: String?] = {
    let programs = (Binaries.fastest as NSString).deletingLastPathComponent
    let path = ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin"
    return MPILauncher.environment.merging([
      // Slurm's daemons are where a user's PATH does not look.
      "PATH": "\(programs):\(path):/usr/sbin:/sbin",
      "OMPI_MCA_rmaps_base_oversubscribe": "1", "OMPI_MCA_hwloc_base_binding_policy": "none",
      "OMPI_MCA_mpi_yield_when_idle": "1",
    ]) { _, new in new }
  }()
}
