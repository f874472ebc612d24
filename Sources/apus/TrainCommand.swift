import Data
import Failures
import Files
import JSON
import MPI
import Model
import Parallel
import Text
import Training
import Watch

/// `apus train`: a job file becomes a model.
struct TrainCommand: Command {
  static let syntax = Syntax(
    name: "train", summary: "fit a model to a data set, as a job file says",
    positionals: [Positional("JOB", "job file (JSON5)")],
    options: [
      Option("--set", value: "KEY=VALUE", repeats: true, "set a key of the job, as optimizer.learning_rate=0.01"),
      Option("--from", value: "MODEL", "go on from a saved model (a file or a run's directory) with the job's data"),
      Option("--resume", "go on from the newest checkpoint; begin anew where there is none"),
      Option("--overwrite", "replace the run that is in the output directory"),
      Option("--dry-run", "check everything, print the plan, and train nothing"),
    ],
    notes: """
      a job file needs data.path and model.kind, and the README lists all keys
        {
          data:   { path: "flowers", validation_split: "test" },
          model:  { kind: "mlp", hidden: [64, 32] },
          train:  { epochs: 20, batch_size: 256 },
          output: "runs/flowers",
        }
      """,
    examples: [
      "apus train job.json", "mpirun -n 4 apus train job.json --resume",
      "apus train job.json --set train.epochs=5 --set output=runs/short --dry-run",
      "apus train job.json --from runs/march --set data.path=april --set output=runs/april",
    ])

  let request: JobRequest

  init(_ arguments: Arguments) throws {
    let from = arguments.value("--from").map { JobOverride(key: "from.model", value: .string($0)) }
    request = try JobRequest(arguments, more: from.map { [$0] } ?? [], Self.syntax)
  }

  var deadlines: Deadlines { request.deadlines }

  func run(_ world: borrowing Communicator) throws -> Int32 {
    let job = try request.job(world, TrainingJob.init(parsing:source:overrides:))
    let watchdog = try Watchdog.start(job.deadlines, world)
    defer { watchdog?.end() }
    let run = try TrainingRun(job, resume: request.policy == .resume, world: world)
    if request.isDry {
      if world.rank == 0 {
        warn(run)
        StandardStream.output.write(try TrainingPlanText(run).text)
      }
      return ExitCode.success.rawValue
    }
    let (rank, ranks) = (world.rank, world.size)
    let result = try run.train(policy: request.policy, watchdog: watchdog) {
      guard rank == 0 else { return }
      warn(run)
      StandardStream.error.write(greeting(run, ranks: ranks))
    }
    if world.rank == 0 { StandardStream.output.write(report(run, result)) }
    if let comparison = result.comparison, !comparison.isAccepted { throw refusal(comparison, result, run.job) }
    return (result.outcome == .stopped ? ExitCode.stopped : .success).rawValue
  }

  private func warn(_ run: TrainingRun) {
    if let warning = run.bubbleWarning { StandardStream.error.write("apus: warning: \(warning)\n") }
  }

  private static let greetingStart = "training "
  private static let resumption = ", resumed after step "

  /// The step after which a training goes on, where `line` is the greeting with which it begins; 0 for a new one.
  static func firstStep(ofGreeting line: String) -> Int? {
    guard line.hasPrefix(greetingStart), line.contains(" virtual") else { return nil }
    guard let resumed = line.firstRange(of: resumption) else { return 0 }
    return Int(line[resumed.upperBound...].filter { $0 != "," })
  }

  private func greeting(_ run: TrainingRun, ranks: Int) -> String {
    var parts = [
      "\(Self.greetingStart)\(run.modelName) on \(grouped(run.dataset.rows)) rows of \(run.dataset.columns) columns",
      "\(ranks) \(ranks == 1 ? "rank" : "ranks")", "\(run.job.virtualRanks) virtual",
    ]
    if run.shape.modelRanks > 1 { parts.append("grid \(run.shape)") }
    if let from = run.job.from { parts.append("from \(from.model)") }
    let resumed = run.resumedStep.map { Self.resumption + grouped($0) } ?? ""
    return parts.joined(separator: ", ") + resumed + "\n"
  }

  private func report(_ run: TrainingRun, _ result: TrainingRun.Result) -> String {
    let state = result.state
    if result.outcome == .stopped {
      return
        "stopped after step \(grouped(state.step)) of \(grouped(run.plan.totalSteps)); the state is saved: go on with --resume\n"
    }
    var rows: [(String, String)] = []
    let steps = "\(grouped(state.step)) steps, \(grouped(state.samples)) samples in \(duration(result.seconds))"
    rows.append(("trained", steps))
    if result.outcome == .converged {
      rows.append(
        (
          "stopped early",
          "no better validation since step \(grouped(state.earlyStopping.bestStep)), whose parameters are kept"
        ))
    }
    if state.skippedRows > 0 { rows.append(("left out", "\(grouped(state.skippedRows)) rows that are not finite")) }
    if state.skippedSteps > 0 {
      rows.append(("skipped", "\(grouped(state.skippedSteps)) steps that could not be applied"))
    }
    if let loss = result.lastLoss { rows.append(("loss", significant(loss, digits: 5))) }
    if let metrics = result.validation {
      rows.append(
        ("validation", Self.headline(metrics).map { "\($0.name) \(Self.number($0.value))" }.joined(separator: ", ")))
    }
    if let comparison = result.comparison {
      if let old = comparison.old { rows.append(("old rows", Self.comparison(old))) }
      rows.append(("new rows", Self.comparison(comparison.new)))
    }
    rows.append(("model", result.modelPath))
    return rows.map { "\(padded($0.0, to: 13))  \($0.1)\n" }.joined()
  }

  private static func headline(_ metrics: Metrics) -> [(name: String, value: Double?)] {
    [("loss", metrics.loss)] + metrics.headline
  }

  private static func number(_ value: Double?) -> String { value.map { significant($0, digits: 5) } ?? "-" }

  /// `accuracy 0.99 -> 0.97 on 180 rows of flowers, split test`
  private static func comparison(_ part: ModelComparison.Part) -> String {
    zip(headline(part.before), headline(part.after))
      .map { "\($0.name) \(number($0.value)) -> \(number($1.value))" }.joined(separator: ", ")
      + " on \(grouped(part.after.rows)) rows of \(part.rows)"
  }

  private func refusal(_ comparison: ModelComparison, _ result: TrainingRun.Result, _ job: TrainingJob) -> Failure {
    let loss = comparison.old.map { significant($0.loss, digits: 3) } ?? "-"
    return Failure(
      .refused,
      "the model has become worse on old rows by \(loss), and from.tolerance allows \(significant(comparison.tolerance ?? 0, digits: 3))",
      hint:
        "'\(job.from?.model ?? "")' is as it was; the new model is '\(result.modelPath)', and '\(job.output)' has no \(ModelFile.name)",
      isShared: true)
  }
}
