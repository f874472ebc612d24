import Text

/// What `--help` prints.
enum Help {
  static let overview: String = {
    let width = commands.map { $0.syntax.name.count }.max() ?? 0
    let lines = commands.map { "  \(padded($0.syntax.name, to: width))  \($0.syntax.summary)" }
    return """
      Apus fits models to data that outgrows one machine: HDF5 shards, MPI ranks, one program.

      usage: apus COMMAND [arguments]
             mpirun -n 4 apus train job.json

      commands
      \(lines.joined(separator: "\n"))

      apus COMMAND --help says more; apus --version prints the version.

      """
  }()

  static func text(_ syntax: Syntax) -> String {
    var sections = ["\(syntax.summary)\n\nusage: \(syntax.usage)"]
    let arguments = syntax.positionals + (syntax.passedOn.map { [$0] } ?? [])
    if !arguments.isEmpty { sections.append("arguments\n" + list(arguments.map { ($0.name, $0.summary) })) }
    let options = syntax.options.map { option in
      (
        option.value.map { "\(option.name) \($0)" } ?? option.name,
        option.summary + (option.repeats ? " (may be repeated)" : "")
      )
    }
    sections.append("options\n" + list(options + [("--help", "print this text")]))
    if !syntax.notes.isEmpty { sections.append(syntax.notes) }
    if !syntax.examples.isEmpty {
      sections.append("examples\n" + syntax.examples.map { "  \($0)" }.joined(separator: "\n"))
    }
    return sections.joined(separator: "\n\n") + "\n"
  }

  private static func list(_ rows: [(String, String)]) -> String {
    let width = rows.map(\.0.count).max() ?? 0
    return rows.map { "  \(padded($0.0, to: width))  \($0.1)" }.joined(separator: "\n")
  }
}
