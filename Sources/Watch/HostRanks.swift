import Files
import Text

/// The ranks that a launcher has started on this host, as the kernel sees them: for a time in which they cannot speak for themselves.
public struct HostRanks: Sendable {
  private struct Entry {
    let member: Member
    let state: ProcessState?
  }

  /// By rank; those of other hosts are missing.
  private let entries: [(rank: Int, entry: Entry)]

  /// - Parameter launcher: the process of a launcher that tells each rank its number as PMIx does, as Open MPI and Slurm do.
  public init(startedBy launcher: Int) {
    var found: [Int: Entry] = [:]
    for process in Machine.descendants(ofProcess: launcher) {
      guard let text = Machine.environment("PMIX_RANK", ofProcess: process), let rank = Int(text) else { continue }
      // What it has started itself has its number too, and comes later.
      guard found[rank] == nil else { continue }
      let state = Machine.state(ofProcess: process, runsThisProgram: false).map { ProcessState($0) }
      found[rank] = Entry(member: Member(host: Machine.hostName, process: process), state: state)
    }
    entries = found.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
  }

  /// `what` has happened: who is certainly to blame, and a line for each rank.
  public func report(_ what: String) -> String {
    let stopped = entries.filter { $0.entry.state?.isStopped == true }.prefix(8)
    let blame = stopped.map { "rank \($0.rank) (\($0.entry.member)) hangs" }
    var table = Table([
      Table.Column("rank", .right), Table.Column("host"), Table.Column("process", .right), Table.Column("phase"),
      Table.Column(""),
    ])
    for (rank, entry) in entries {
      table.append([
        "\(rank)", entry.member.host, "\(entry.member.process)", Phase.start.name, entry.state?.text ?? "",
      ])
    }
    return ([what] + blame).joined(separator: "; ") + "\n" + (entries.isEmpty ? "" : table.rendered())
  }
}
