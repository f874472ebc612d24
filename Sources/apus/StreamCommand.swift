import Failures
import Files
import MPI
import Online
import Streaming
import Text
import Training
import Watch

/// `apus stream`: a model learns rows as they come.
struct StreamCommand: Command {
  static let syntax = Syntax(
    name: "stream", summary: "learn from rows as they come, as a job file says",
    positionals: [Positional("JOB", "job file (JSON5)")],
    options: [
      Option("--set", value: "KEY=VALUE", repeats: true, "set a key of the job, as optimizer.learning_rate=0.01"),
      Option("--resume", "go on from the newest checkpoint; begin anew where there is none"),
      Option("--overwrite", "replace the run that is in the output directory"),
      Option("--dry-run", "check the job and its sources, and learn nothing"),
    ],
    notes: """
      a job file needs stream.sources and model.kind, and the README lists all keys
        {
          stream:    { sources: "-", target: "class", classes: ["DOWN", "UP"] },
          model:     { kind: "logistic" },
          optimizer: { kind: "sgd", learning_rate: 0.05 },
          drift:     { detector: "adwin", on_drift: "switch" },
          output:    "runs/prices",
        }
      """,
    examples: [
      "zcat prices.csv.gz | apus stream job.json", "mpirun -n 4 apus stream job.json --resume",
      "apus stream job.json --set stream.follow=true --set stream.idle=1m",
    ])

  let request: JobRequest

  init(_ arguments: Arguments) throws {
    request = try JobRequest(arguments, Self.syntax)
  }

  var deadlines: Deadlines { request.deadlines }

  func run(_ world: borrowing Communicator) throws -> Int32 {
    let job = try request.job(world, StreamJob.init(parsing:source:overrides:))
    let watchdog = try Watchdog.start(job.deadlines, world)
    defer { watchdog?.end() }
    let run = try StreamRun(job, world: world)
    let (rank, ranks) = (world.rank, world.size)
    if request.isDry {
      if rank == 0 { StandardStream.output.write(plan(run, ranks: ranks)) }
      return ExitCode.success.rawValue
    }
    let result = try run.run(policy: request.policy, watchdog: watchdog) { columns, rows in
      guard rank == 0 else { return }
      StandardStream.error.write(greeting(run.job, columns: columns, rows: rows, ranks: ranks))
    }
    if rank == 0 { StandardStream.output.write(report(result)) }
    return (result.isStopped ? ExitCode.stopped : .success).rawValue
  }

  private func plan(_ run: StreamRun, ranks: Int) -> String {
    let rows = run.job.sources.enumerated().map { index, path in
      ("rank \(run.job.rank(ofSource: index, ranks: ranks))", path == "-" ? "standard input" : path)
    }
    let lines = [("learns", run.job.modelName)] + rows + [("output", run.job.output)]
    return lines.map { "\(padded($0.0, to: 13))  \($0.1)\n" }.joined() + "the job is sound\n"
  }

  private func greeting(_ job: StreamJob, columns: Int, rows: Int, ranks: Int) -> String {
    let sources = job.sources.count
    return "learning \(job.modelName) from \(sources) \(sources == 1 ? "source" : "sources"), \(columns) columns, "
      + "\(ranks) \(ranks == 1 ? "rank" : "ranks")\(rows > 0 ? ", resumed after row \(grouped(rows))" : "")\n"
  }

  private func report(_ result: StreamRun.Result) -> String {
    if result.isStopped {
      return "stopped after row \(grouped(result.rows)); the state is saved: go on with --resume\n"
    }
    var rows = [("learned", "\(grouped(result.rows)) rows in \(duration(result.seconds))")]
    let leftOut = result.leftOut.named.filter { $0.count > 0 }.map { "\(grouped($0.count)) \($0.name)" }
    if !leftOut.isEmpty { rows.append(("left out", leftOut.joined(separator: ", "))) }
    if let measures = result.measures { rows.append(("all rows", Self.line(measures))) }
    if let window = result.window, window.rows > 0 {
      rows.append(("last \(grouped(Int(window.rows)))", Self.line(window)))
    }
    if let drifts = result.drifts { rows.append(("drifts", grouped(drifts))) }
    rows.append(("model", result.modelPath))
    return rows.map { "\(padded($0.0, to: 13))  \($0.1)\n" }.joined()
  }

  private static func line(_ measures: Measures) -> String {
    let named: [(String, Double?)] = [
      ("loss", measures.loss), ("accuracy", measures.accuracy), ("balanced accuracy", measures.balancedAccuracy),
      ("kappa", measures.kappa), ("AUC", measures.auc), ("MAE", measures.mae), ("RMSE", measures.rmse),
      ("R2", measures.r2),
    ]
    return named.compactMap { name, value in value.map { "\(name) \(significant($0, digits: 5))" } }
      .joined(separator: ", ")
  }
}
