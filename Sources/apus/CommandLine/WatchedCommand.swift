import Failures
import Files
import MPI
import Watch

/// A command that works on several ranks for as long as there are data, and is watched meanwhile as a training is.
protocol WatchedCommand: Command {
  /// A directory that all hosts see, and that rank 0 may write into.
  var sharedDirectory: String { get }
  /// What it writes there; empty where it writes nothing.
  var writtenPath: String { get }
}

extension WatchedCommand {
  var writtenPath: String { "" }
  var sharedDirectory: String { FileSystem.directory(of: writtenPath) }

  static var watchdogOption: Option {
    Option(
      "--watchdog", value: "SECONDS",
      "seconds without progress until it ends with 76; 0: no limit; default: learned")
  }

  /// What `--watchdog` says.
  static func deadlines(_ arguments: Arguments) throws(UsageError) -> Deadlines {
    var deadlines = Deadlines()
    guard let seconds: Double = try arguments.number("--watchdog", "a number of seconds", syntax) else {
      return deadlines
    }
    guard seconds >= 0, seconds.isFinite else {
      throw UsageError("--watchdog needs a number of seconds, not '\(seconds)'", syntax: syntax)
    }
    for phase in Phase.allCases { deadlines[phase] = .seconds(seconds) }
    return deadlines
  }

  /// Watches the ranks; nil where there is only one or no limit, or where they cannot tell each other what they do: who must wait for
  /// long would be taken for one that hangs. Collective.
  func watchdog(_ world: borrowing Communicator) throws -> Watchdog? {
    guard world.size > 1, let watchdog = try Watchdog.start(deadlines, world) else { return nil }
    let directory = sharedDirectory
    let made = try Agreement.fromRoot(world) {
      // Who is killed leaves the file, and who then writes the same again takes it away.
      let written = FileSystem.name(of: writtenPath)
      let name =
        written.isEmpty ? "\(BeatFile.name)-\(Machine.processIdentifier)" : ".\(written)\(BeatFile.name)"
      return (try? watchdog.share(in: directory, as: name)) == nil ? [] : Array(name.utf8)
    }
    var isShared = !made.isEmpty
    if isShared, world.rank > 0 {
      isShared = (try? watchdog.share(in: directory, as: String(decoding: made, as: UTF8.self))) != nil
    }
    guard try world.allReduce(isShared ? 1 : 0, .minimum) == 0 else { return watchdog }
    watchdog.end()
    return nil
  }
}
