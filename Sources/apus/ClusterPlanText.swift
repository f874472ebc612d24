import Model
import Optimization
import Parallel
import Planning
import Text

/// What `apus plan` prints: what was planned for, a line for each layout, and the best of them.
struct ClusterPlanText {
  let text: String

  /// - Parameter showsAll: a line for each number of micro-batches too.
  init(_ plan: ClusterPlan, showsAll: Bool) {
    let rows = [
      ("model", Self.model(plan)), ("step", Self.step(plan)), ("cluster", Self.cluster(plan)),
      ("measured", Self.measured(plan.profile)),
    ]
    let head = rows.map { "\(padded($0.0, to: 8))  \($0.1)\n" }.joined()
    text = head + "\n" + Self.table(showsAll ? plan.predictions : plan.bestOfEachGrid) + "\n" + Self.conclusion(plan)
  }

  private static func model(_ plan: ClusterPlan) -> String {
    let model = plan.training.model
    return "\(model.kind.rawValue) \(model.sizes.map(String.init).joined(separator: "-")), "
      + "loss \(model.loss.rawValue), \(grouped(model.layout.count)) parameters"
  }

  private static func step(_ plan: ClusterPlan) -> String {
    "\(grouped(plan.training.batchRows)) rows of \(grouped(plan.training.rows)), "
      + "optimizer \(plan.training.optimizer.kind.rawValue), reduction \(plan.training.mode.rawValue)"
  }

  private static func cluster(_ plan: ClusterPlan) -> String {
    let cluster = plan.cluster
    let nodes = cluster.nodes == 1 ? "1 node" : "\(grouped(cluster.nodes)) nodes of \(grouped(cluster.ranksPerNode))"
    let link =
      cluster.nodes == 1
      ? "" : ", \(Text.bytes(Int(cluster.bandwidth)))/s and \(duration(cluster.latency)) between them"
    return "\(grouped(cluster.ranks)) \(cluster.ranks == 1 ? "rank" : "ranks") on \(nodes)\(link), "
      + "\(Text.bytes(cluster.memory)) a node"
  }

  private static func measured(_ profile: MachineProfile) -> String {
    let bytes = 262_144.0
    let seconds = profile.exchange.seconds(bytes)
    let ranks = profile.ranks == 1 ? "1 rank" : "\(profile.ranks) ranks at a time"
    return "\(profile.layers.count) layers on \(profile.host), \(ranks); within a node "
      + "\(Text.bytes(Int(bytes / seconds)))/s and \(duration(profile.exchange.seconds(0.0)))"
  }

  private static func table(_ predictions: [LayoutPrediction]) -> String {
    let titles = [
      "data", "pipeline", "tensor", "shard", "micro", "step ms", "computing", "waiting", "communication", "GB a rank",
      "efficiency", "samples/s",
    ]
    var table = Table(titles.map { Table.Column($0, .right) } + [Table.Column("")])
    for prediction in predictions {
      let layout = prediction.layout
      var cells = [layout.shape.data, layout.shape.pipeline, layout.shape.tensor].map { "\($0)" }
      cells += [layout.shardsOptimizer ? "yes" : "no", "\(layout.microBatches)"]
      let times = [prediction.step, prediction.computing, prediction.waiting, prediction.communication]
      cells += times.map { milliseconds($0) }
      cells += [
        fixed(Double(prediction.rankMemory) / 1e9, decimals: 3), "\(Int((100 * prediction.efficiency).rounded())) %",
        grouped(Int(prediction.samplesPerSecond)),
      ]
      cells.append(
        prediction.fits ? "" : "too large: \(fixed(Double(prediction.nodeMemory) / 1e9, decimals: 1)) GB a node")
      table.append(cells)
    }
    return table.rendered()
  }

  /// Three digits or more, and never in powers of ten.
  private static func milliseconds(_ seconds: Double) -> String {
    let value = seconds * 1e3
    return fixed(value, decimals: value >= 100 ? 0 : value >= 10 ? 1 : value >= 1 ? 2 : 3)
  }

  private static func conclusion(_ plan: ClusterPlan) -> String {
    guard let best = plan.best else { return "no layout fits into the memory of a node\n" }
    let settings = best.layout.overrides.map { " --set \($0)" }.joined()
    return "best: \(best.layout.shape), \(milliseconds(best.step)) ms a step:\(settings)\n"
  }
}
