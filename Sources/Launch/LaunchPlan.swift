/// What is started, where, and how often again.
public struct LaunchPlan: Sendable {
  /// The launcher of ranks, found in PATH.
  public var launcher = "mpirun"
  /// More options of the launcher.
  public var launcherOptions: [String] = []
  /// How many ranks; nil leaves it to the launcher.
  public var ranks: Int?
  /// Where; nil leaves it to the launcher.
  public var hosts: Hosts?
  /// The number of ranks is a multiple of this one, also where hosts are lost.
  public var rankMultiple = 1
  /// After so many restarts without progress it is given up.
  public var mostRestarts = 3
  /// Before the first restart; twice as long before each that follows without progress.
  public var firstPause: Duration = .seconds(1)

  public init() {}

  /// The command line that starts `program` on `hosts`, those of the plan that are left.
  func command(_ program: [String], on hosts: Hosts?) -> [String] {
    var words = [launcher]
    if let ranks {
      var count = ranks
      if let hosts, let all = self.hosts, hosts != all {
        count = hosts.share(of: ranks, among: all, multiple: rankMultiple)
      }
      words += ["-n", "\(count)"]
    }
    if let hosts { words += ["--host", hosts.text] }
    return words + launcherOptions + program
  }

  /// A command line that shows whether a host can be reached: `true` on it, started as ranks would be.
  func probe(_ host: Hosts.Host) -> [String] {
    [launcher, "-n", "1", "--host", host.name] + launcherOptions + ["true"]
  }
}
