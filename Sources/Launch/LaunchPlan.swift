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
  /// How long it may take until the training begins, from each start of the launcher; nil for any time.
  public var startLimit: Duration?

  /// How long the launcher may go on when all that it has started has ended, or it is asked to end.
  var patience: Duration = .seconds(10)

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

  /// What the launcher finds in its environment besides; what the user has set there stays.
  ///
  /// Open MPI's daemons ask each other for a sign of life after a second of silence, and give a host up that leaves three questions
  /// without an answer: unasked, a host without power, or behind a broken link, would never be missed.
  func environment(_ current: (String) -> String?) -> [String: String?] {
    guard let hosts, hosts.list.count > 1 else { return [:] }
    var environment: [String: String?] = [:]
    for (name, value) in [("time", "1"), ("intvl", "1"), ("probes", "3")] {
      let variable = "OMPI_MCA_oob_tcp_keepalive_" + name
      if current(variable) == nil { environment[variable] = value }
    }
    return environment
  }

  /// A command line that shows whether a host can be reached: `true` on it, started as ranks would be.
  func probe(_ host: Hosts.Host) -> [String] {
    [launcher, "-n", "1", "--host", host.name] + launcherOptions + ["true"]
  }
}
