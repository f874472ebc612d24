import Failures
import Files
import JSON
import Launch
import MPI
import Text
import Training
import Watch

/// `apus launch`: a training that is started again when it crashes.
struct LaunchCommand: LocalCommand {
  static let syntax = Syntax(
    name: "launch", summary: "start a training with mpirun, and again from its newest checkpoint when it crashes",
    positionals: [],
    options: [
      Option("--ranks", value: "NUMBER", "ranks, in proportion fewer where hosts are lost; as mpirun has it otherwise"),
      Option("--hosts", value: "LIST", "hosts with their slots, as a:4,b:4; one that cannot be reached is left out"),
      Option("--restarts", value: "NUMBER", "restarts without progress after which it is given up (default 3)"),
      Option("--pause", value: "SECONDS", "wait before a restart, doubled while there is no progress (default 1)"),
      Option(
        "--start-limit", value: "SECONDS",
        "until the training has begun, or 76; 0: no limit (default twice watchdog.start)"),
      Option("--report", value: "FILE", "write the report as JSON, with every attempt"),
      Option("--mpirun", value: "PROGRAM", "launcher of the ranks (default mpirun)"),
      Option("--mpirun-option", value: "OPTIONS", repeats: true, "more options of the launcher, split at spaces"),
    ],
    notes: """
      the first start is as written, a restart has --resume; progress is a newer checkpoint
      SIGTERM, SIGINT, SIGUSR1 and SIGUSR2 let the ranks save and end with 75; a second SIGINT does not wait
      """,
    passedOn: Positional("train JOB ...", "the training, with the options of apus train"),
    examples: [
      "apus launch --ranks 4 -- train job.json --resume",
      "apus launch --ranks 16 --hosts a:8,b:8 --mpirun-option '--bind-to core' -- train job.json",
    ])

  private let plan: LaunchPlan
  private let train: TrainCommand
  private let words: [String]
  private let report: String?
  /// Seconds until the training has begun; nil where the job decides.
  private let startLimit: Double?

  init(_ arguments: Arguments) throws {
    plan = try Self.plan(arguments)
    report = arguments.value("--report")
    startLimit = try Self.seconds("--start-limit", arguments)
    words = Array(arguments.passedOn.dropFirst())
    let name = TrainCommand.syntax.name
    guard arguments.passedOn.first == name else {
      throw UsageError("launch starts '\(name)', not '\(arguments.passedOn.first ?? "")'", syntax: Self.syntax)
    }
    train = try TrainCommand(Arguments(parsing: words, syntax: TrainCommand.syntax))
    guard !train.request.isDry else {
      throw UsageError("--dry-run trains nothing that could be launched: use apus train", syntax: Self.syntax)
    }
  }

  private static func plan(_ arguments: Arguments) throws -> LaunchPlan {
    func count(_ option: String, from least: Int) throws -> Int? {
      guard let text = arguments.value(option) else { return nil }
      guard let count = Int(text), (least...1_000_000).contains(count) else {
        throw UsageError("\(option) needs a number from \(least), not '\(text)'", syntax: syntax)
      }
      return count
    }
    var plan = LaunchPlan()
    plan.ranks = try count("--ranks", from: 1)
    plan.mostRestarts = try count("--restarts", from: 0) ?? plan.mostRestarts
    if let text = arguments.value("--hosts") {
      guard let hosts = Hosts(parsing: text) else {
        throw UsageError("--hosts needs hosts with their slots, as a:4,b:4, and not '\(text)'", syntax: syntax)
      }
      plan.hosts = hosts
    }
    if let seconds = try seconds("--pause", arguments) { plan.firstPause = .seconds(seconds) }
    plan.launcher = arguments.value("--mpirun") ?? plan.launcher
    plan.launcherOptions = arguments.values("--mpirun-option").flatMap { $0.split(separator: " ").map(String.init) }
    return plan
  }

  private static func seconds(_ option: String, _ arguments: Arguments) throws -> Double? {
    guard let text = arguments.value(option) else { return nil }
    guard let seconds = Double(text), (0...86_400).contains(seconds) else {
      throw UsageError("\(option) needs seconds from 0, not '\(text)'", syntax: syntax)
    }
    return seconds
  }

  func run(_ world: borrowing Communicator) throws -> Int32 {
    throw Failure(
      .usage, "apus launch was itself started by a launcher", hint: "it starts mpirun itself: leave out mpirun or srun",
      isShared: true)
  }

  func run() throws -> Int32 {
    let job = try TrainingJob(
      parsing: try JobFile.read(train.request.path), source: train.request.path, overrides: train.request.overrides)
    let run = LaunchedTraining(
      job: job, program: try Machine.programPath, words: words, replaces: train.request.policy == .overwrite)
    let code: Int32
    var plan = plan
    // What is left of the hosts has to hold whole copies of the model. (Too many for any number of ranks: the training says so.)
    plan.rankMultiple = max(1, job.split.pipeline.multipliedReportingOverflow(by: job.split.tensor).partialValue)
    // The ranks end by themselves earlier, once they have met, and say more.
    let startLimit = startLimit ?? job.deadlines.startSeconds.map { 2 * $0 } ?? 0
    plan.startLimit = startLimit > 0 ? .seconds(min(startLimit, 1e9)) : nil
    var supervisor = try Supervisor(plan, run)
    do {
      code = try supervisor.supervise()
    } catch {
      guard error.action == "start" else { throw error }
      throw Failure(.unavailable, "\(error)", hint: "--mpirun names the launcher of the ranks")
    }
    StandardStream.output.write(supervisor.report.text)
    if let report {
      try FileSystem.write(Array(supervisor.report.json.serialized(pretty: true).utf8), to: report)
    }
    return code
  }
}
