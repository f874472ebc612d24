import Data
import Failures
import Files
import MPI
import Watch

/// The program: a command and its arguments, on one rank or on many.
@main
enum Apus {
  static let version = "0.1.0"

  static func main() {
    Termination.surviveFileLimit()
    let words = Array(CommandLine.arguments.dropFirst())
    if words.first == ShardInspector.command { Program.leave(code: ShardInspector.serve(Array(words.dropFirst()))) }
    if words.first == InspectCommand.disposable { Program.leave(code: InspectCommand.serve(Array(words.dropFirst()))) }
    do {
      ShardInspector.use(program: try Machine.programPath)
      let command = try parse(words)
      if let local = command as? any LocalCommand, !Program.isLaunched { Program.leave(code: try local.run()) }
      Program.run(limit: .meeting(command.deadlines), report: report) { world in try run(command, world) }
    } catch {
      // Nothing has touched MPI yet; under a launcher every rank is here, and one message is enough.
      if Program.launchedRank ?? 0 == 0 { StandardStream.error.write(text(Failure(error))) }
      Program.leave(code: Failure(error).code.rawValue)
    }
  }

  /// The command that `words` ask for; prints and ends the program where they ask for help or the version.
  private static func parse(_ words: [String]) throws -> any Command {
    guard let name = words.first, name != "--help", name != "-h", name != "help" else { answer(Help.overview) }
    if name == "--version" { answer("apus \(version)\n") }
    guard !name.hasPrefix("-") else {
      throw UsageError.unknown("option", name, among: ["--help", "--version"], of: nil)
    }
    guard let entry = commands.first(where: { $0.syntax.name == name }) else {
      throw UsageError.unknown("command", name, among: commands.map(\.syntax.name), of: nil)
    }
    let rest = Array(words.dropFirst())
    if rest.prefix(while: { $0 != "--" }).contains(where: { $0 == "--help" || $0 == "-h" }) {
      answer(Help.text(entry.syntax))
    }
    return try entry.make(Arguments(parsing: rest, syntax: entry.syntax))
  }

  /// Runs `command`; a failure that all ranks share is told by rank 0, and every rank ends with its code.
  private static func run(_ command: any Command, _ world: borrowing Communicator) throws -> Int32 {
    do {
      let watchdog = try (command as? any WatchedCommand)?.watchdog(world)
      defer { watchdog?.end() }
      return try command.run(world)
    } catch {
      let failure = Failure(error)
      guard failure.isShared || world.size == 1 else { throw failure }
      if world.rank == 0 { StandardStream.error.write(text(failure)) }
      return failure.code.rawValue
    }
  }

  /// What a rank says of a failure of its own before it ends the job.
  private static func report(_ error: any Error, rank: Int) -> Int32 {
    let failure = Failure(error)
    let who = rank == 0 ? "" : "rank \(rank) on \(Machine.hostName): "
    StandardStream.error.write(text(failure, who: who))
    return failure.code.rawValue
  }

  static func text(_ failure: Failure, who: String = "") -> String {
    "apus: \(who)\(failure)\n"
  }

  private static func answer(_ text: String) -> Never {
    if Program.launchedRank ?? 0 == 0 { StandardStream.output.write(text) }
    Program.leave(code: ExitCode.success.rawValue)
  }
}
