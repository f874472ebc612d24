import Data
import Failures
import Files
import JSON
import MPI
import Model
import Planning
import Text
import Training

/// Steps as `apus plan` predicts them, and as they are: every grid that the ranks can form, with its best number of micro-batches.
enum PlanBenchmark {
  static func run(_ settings: Settings, _ world: borrowing Communicator) throws {
    let layers = try settings.layers(default: "784,512,256,10")
    let steps = try settings.integer("steps", default: 50)
    let rounds = try settings.integer("rounds", default: 3)
    let rows = try settings.integer("rows", default: 20_000)
    let work = try SyntheticShards.shared(
      rows: rows, columns: layers[0], classes: max(layers[layers.count - 1], 2), shards: world.size, world)
    let text = StepBenchmark.job(
      layers: layers, work: work, batch: try settings.integer("batch", default: 128) * world.size,
      optimizer: settings.text("optimizer", default: "adam"), steps: steps,
      parallel: StepBenchmark.parallel(settings), shuffle: true)
    let bytes = Array(text.serialized(pretty: false).utf8)
    let job = try TrainingJob(parsing: bytes, source: "apus-bench")
    let plan = try plan(job, settings, world)
    var measured = [[Double]](repeating: [], count: plan.bestOfEachGrid.count)
    // In turn, so that a machine that is busy for a while is so for all.
    for _ in 0..<rounds {
      for (index, prediction) in plan.bestOfEachGrid.enumerated() {
        let overrides = try prediction.layout.overrides.map { try JobOverride(parsing: $0) }
        let job = try TrainingJob(parsing: bytes, source: "apus-bench", overrides: overrides)
        _ = try TrainingRun(job, resume: false, world: world).train(policy: .overwrite)
        guard world.rank == 0 else { continue }
        let times = try StepBenchmark.measured(FileSystem.join(work, "run/metrics.jsonl"))
        measured[index].append(times.total / Double(steps))
      }
    }
    guard world.rank == 0 else { return }
    try FileSystem.removeTree(work)
    StandardStream.output.write(table(plan, measured.map { $0.sorted()[$0.count / 2] }))
  }

  /// What is planned for the nodes and ranks that there are. Collective.
  private static func plan(
    _ job: TrainingJob, _ settings: Settings, _ world: borrowing Communicator
  ) throws -> ClusterPlan {
    let opened = try OpenedDataset(job.data.source, world: world)
    let design = try ModelDesign(job: job, dataset: opened.dataset)
    let training = PlannedTraining(job, design: design, dataset: opened.dataset, validationRows: 0)
    let reading = try ReadingMeter.measure(
      opened.dataset, targetUse: design.targetUse, transform: opened.source.transform(scale: 1), seed: job.seed,
      shuffle: job.shuffle, rows: training.batchRows / world.size, world: world)
    let ranksPerNode = try world.splitByNode().size
    let profile = try ProfileMeter(world).profile(
      training, ranks: world.size, ranksPerNode: ranksPerNode, reading: reading)
    let bandwidth = Quantity.bytesPerSecond(settings.text("bandwidth", default: "1Gbit/s"))
    let latency = Quantity.seconds(settings.text("latency", default: "50us"))
    guard let bandwidth, let latency else {
      throw Failure(.usage, "--bandwidth needs a speed, as 1Gbit/s, and --latency a time, as 50us")
    }
    return try ClusterPlan(
      training, profile: profile,
      cluster: Cluster(
        ranks: world.size, ranksPerNode: ranksPerNode, bandwidth: bandwidth, latency: latency, memory: profile.memory))
  }

  private static func table(_ plan: ClusterPlan, _ measured: [Double]) -> String {
    let titles = ["data x pipeline x tensor", "shard", "micro", "predicted ms", "measured ms", "error"]
    var table = Table(titles.map { Table.Column($0, .right) })
    for (prediction, seconds) in zip(plan.bestOfEachGrid, measured) {
      let layout = prediction.layout
      table.append([
        "\(layout.shape)", layout.shardsOptimizer ? "yes" : "no", "\(layout.microBatches)",
        fixed(prediction.step * 1e3, decimals: 3), fixed(seconds * 1e3, decimals: 3),
        "\(Int((100 * (prediction.step / seconds - 1)).rounded())) %",
      ])
    }
    let best = zip(plan.bestOfEachGrid, measured).min { $0.1 < $1.1 }
    let regret = (measured.first ?? 0) / (best?.1 ?? 1)
    return table.rendered() + "the layout that was named takes \(fixed(regret, decimals: 2)) times the fastest\n"
  }
}
