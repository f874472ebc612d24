import MPI

/// A command of the program: what may be written after its name, and what it does.
protocol Command {
  static var syntax: Syntax { get }

  /// Reads the arguments, without MPI and without touching a file.
  init(_ arguments: Arguments) throws

  /// Does the work on all ranks of `world`; returns the exit code of every rank.
  func run(_ world: borrowing Communicator) throws -> Int32
}

/// The commands, in the order of `--help`.
let commands: [any Command.Type] = [
  PrepareCommand.self, TrainCommand.self, EvaluateCommand.self, PredictCommand.self, InspectCommand.self,
]
