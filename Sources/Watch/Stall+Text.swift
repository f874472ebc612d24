import Text

extension StallJudge.Stall {
  /// The report of a stall: who is to blame, and what every rank did last.
  func text(_ members: [Member]) -> String {
    var table = Table([
      Table.Column("rank", .right), Table.Column("host"), Table.Column("process", .right), Table.Column("phase"),
      Table.Column("step", .right), Table.Column("for", .right), Table.Column(""),
    ])
    for (rank, status) in ranks.enumerated() {
      let member = members[rank]
      let states = [status.flatMap(Self.silence), member.state?.text].compactMap { $0 }
      table.append([
        "\(rank)", member.host, "\(member.process)", status.map(Self.phase) ?? "not known",
        status.map { grouped($0.beat.step) } ?? "", status.map { duration($0.idle) } ?? "",
        states.joined(separator: "; "),
      ])
    }
    return "\(reason(members))\n\(table.rendered())"
  }

  private func reason(_ members: [Member]) -> String {
    let allowed = "watchdog.\(phase.name) allows \(duration(limit))"
    guard let first = culprits.first else {
      return "no rank goes on: all wait for each other; \(allowed)"
    }
    let named = culprits.prefix(8).map { rank in
      "rank \(rank) (\(members[rank]))"
    }
    let more = culprits.count > 8 ? " and \(culprits.count - 8) more" : ""
    let what = ranks[first].map { "\(Self.phase($0)) after step \(grouped($0.beat.step))" } ?? ""
    return "\(named.joined(separator: ", "))\(more) hangs: \(what); \(allowed)"
  }

  private static func phase(_ status: StallJudge.Status) -> String {
    guard status.beat.isWaiting else { return status.beat.phase.name }
    return "waits for ranks in \(status.beat.phase.name)"
  }

  private static func silence(_ status: StallJudge.Status) -> String? {
    status.silent > StallJudge.silence ? "silent for \(duration(status.silent))" : nil
  }
}
