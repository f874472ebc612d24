public import Settings

/// One key of a job file.
///
/// The table of all of them feeds the validation of job files, `--set`, `job.json` of a run and the README's list of keys.
public typealias JobKey = SettingKey

extension JobKey {
  /// The keys as the Markdown table of the README.
  public static var reference: String { reference(of: all) }
}
