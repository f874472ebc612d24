/// Finds, in what the ranks and their launcher write to standard error, what went wrong first.
///
/// A rank of Apus says so itself ("apus: ..."). One that trapped says "Fatal error" in a build for debugging. Of one that was killed only
/// the launcher can tell. Whatever comes behind the first word is a consequence of it.
struct FirstError {
  private var rank: String?
  private var isInside = false
  private var trap: String?
  private var launcher: String?
  private var other: String?

  /// What went wrong first, in the best words that there were; nil where nobody said anything.
  var text: String? { rank ?? trap ?? launcher ?? other }

  mutating func take(line: String) {
    if line.hasPrefix("apus: ") && !line.hasPrefix("apus: warning: ") {
      isInside = rank == nil
      if isInside { rank = line }
      return
    }
    // A hint and a table are indented, and belong to the message.
    if isInside, line.hasPrefix("  ") {
      rank = (rank ?? "") + "\n" + line
      return
    }
    isInside = false
    if trap == nil, line.contains("Fatal error") { trap = line }
    if launcher == nil, line.contains("exited on signal") || line.contains("lost communication") { launcher = line }
    let isDecoration = line.allSatisfy { "-=* ".contains($0) }
    if other == nil, !isDecoration, !line.hasPrefix("step ") { other = line }
  }
}
