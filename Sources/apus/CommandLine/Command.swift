import MPI
import Watch

/// A command of the program: what may be written after its name, and what it does.
protocol Command: SendableMetatype {
  static var syntax: Syntax { get }

  /// Reads the arguments, without MPI and without touching a file.
  init(_ arguments: Arguments) throws

  /// What the ranks may take, as far as the command line says it.
  var deadlines: Deadlines { get }

  /// Does the work on all ranks of `world`; returns the exit code of every rank.
  func run(_ world: borrowing Communicator) throws -> Int32
}

extension Command {
  var deadlines: Deadlines { Deadlines() }
}

/// The commands, in the order of `--help`.
let commands: [CommandEntry] = [
  CommandEntry(PrepareCommand.self), CommandEntry(GenerateCommand.self), CommandEntry(TrainCommand.self),
  CommandEntry(StreamCommand.self),
  CommandEntry(EvaluateCommand.self), CommandEntry(PredictCommand.self), CommandEntry(InspectCommand.self),
  CommandEntry(LaunchCommand.self), CommandEntry(PlanCommand.self),
]

/// A command by its syntax.
struct CommandEntry: Sendable {
  let syntax: Syntax
  /// Makes the command from what stood after its name.
  let make: @Sendable (Arguments) throws -> any Command

  init<Kind: Command>(_ kind: Kind.Type) {
    syntax = kind.syntax
    make = { arguments in try Kind(arguments) }
  }
}
