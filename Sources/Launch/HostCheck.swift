import Files

/// Finds out which hosts can be reached, by starting nothing on each.
enum HostCheck {
  /// A host that does not answer until then is lost.
  private static let deadline: Duration = .seconds(15)

  /// The names of the hosts on which `plan` could not start a program now.
  static func lost(_ plan: LaunchPlan, _ hosts: Hosts) -> Set<String> {
    let probes = hosts.list.map { host in
      (host.name, try? ChildProcess(plan.probe(host), captured: [.output, .error], hasOwnGroup: true))
    }
    let end = ContinuousClock.now + deadline
    var lost: Set<String> = []
    for (name, probe) in probes where !(probe.map { succeeds($0, by: end) } ?? false) { lost.insert(name) }
    return lost
  }

  /// Its output is read and dropped, so that it is not held up by a full pipe. It is killed when the value ends.
  private static func succeeds(_ probe: ChildProcess, by end: ContinuousClock.Instant) -> Bool {
    while true {
      let left = end - .now
      guard left > .zero, let isReadable = try? probe.output.wait(timeout: left), isReadable,
        let bytes = try? probe.output.read()
      else { return false }
      if bytes.isEmpty { return (try? probe.wait()) == .exited(0) }
    }
  }
}
