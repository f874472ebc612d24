import Settings

/// The file of a job.
public enum JobFile {
  private static let file = SettingsFile(
    kind: "job file", usualName: "job.json", hint: "a job names its data: see apus train --help")

  /// The bytes of the job file at `path`.
  /// - Throws: `Failure`: 66 where there is none (with a name that is like it), 77, or 78 for what can be no job.
  public static func read(_ path: String) throws -> [UInt8] { try file.read(path) }
}
