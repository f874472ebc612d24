import Data
import Model
import Parallel
import Text
import Training

/// What `apus train --dry-run` prints: what will be trained, and what it takes on each rank.
struct TrainingPlanText {
  let text: String

  init(_ run: TrainingRun) throws {
    var rows: [(String, String)] = [
      (
        "model",
        "\(run.modelName), loss \(run.design.model.loss.rawValue), \(grouped(run.design.model.layout.count)) parameters"
      ),
      (
        "data",
        "\(grouped(run.dataset.rows)) rows of \(run.dataset.columns) columns in \(run.dataset.shards.count) shards"
      ),
      (
        "steps",
        "\(grouped(run.plan.totalSteps)), \(grouped(run.plan.stepsPerEpoch)) an epoch, \(grouped(run.plan.batchRows)) rows each"
      ),
      (
        "ranks",
        "\(run.shape.ranks), running \(run.job.virtualRanks) virtual ranks, reduction \(run.job.reduction.rawValue)"
      ),
    ]
    let places = run.gridIndices.map { run.shape.place($0) }
    let memories = try places.map { try run.memory(at: $0) }
    let traffics = try places.map { try run.traffic(at: $0) }
    if run.shape.ranks > 1 {
      rows.append(("grid", Self.grid(run)))
      rows.append(("a step moves", Self.moved(traffics)))
      if run.job.wire != .float32 { rows.append(("wire", Self.wire(run))) }
    }
    rows.append(("memory a rank", memories.max { $0.total < $1.total }?.text ?? ""))
    rows.append(("output", run.job.output + (run.update == nil ? "" : ", whose model is replaced")))
    var text = rows.map { "\(padded($0.0, to: 13))  \($0.1)\n" }.joined()
    if run.shape.ranks > 1 { text += "\n" + Self.table(run, places, memories, traffics) + "\n" }
    self.text = text + "the job is sound; nothing was trained\n"
  }

  private static func grid(_ run: TrainingRun) -> String {
    var text = "\(run.shape) (data x pipeline x tensor)"
    if run.shape.pipeline > 1 {
      let step = run.step
      text +=
        ", stages of \(run.stages.map(\.count)) layers, \(step.passes) micro-batches in a step, bubble "
        + TrainingRun.percent(step.bubble)
    }
    return text
  }

  /// Whether the job's wish for the wire is of consequence on these hosts.
  private static func wire(_ run: TrainingRun) -> String {
    run.step.wire.precision == .float32
      ? "float32, since all ranks are on one host; \(run.job.wire.rawValue) between hosts"
      : "\(run.job.wire.rawValue) between hosts"
  }

  /// What all ranks say together.
  private static func moved(_ traffics: [StepTraffic]) -> String {
    let messages = traffics.map(\.messages).reduce(Traffic(), +)
    let collectives = traffics.map(\.collectives).reduce(Traffic(), +)
    return "\(grouped(messages.messages)) messages of \(grouped(messages.bytes)) B, "
      + "\(grouped(collectives.messages)) calls of collectives with \(grouped(collectives.bytes)) B"
  }

  /// One line a rank.
  private static func table(
    _ run: TrainingRun, _ places: [GridPlace], _ memories: [MemoryPlan], _ traffics: [StepTraffic]
  ) -> String {
    let titles = ["rank", "copy", "stage", "part"]
    let numbers = [
      "weights", "gradients", "moments", "activations", "buffers", "rows", "checkpoint", "in all", "moved a step",
    ]
    var table = Table(
      titles.map { Table.Column($0, .right) } + [Table.Column("layers")] + numbers.map { Table.Column($0, .right) })
    for (rank, place) in places.enumerated() {
      let (memory, traffic) = (memories[rank], traffics[rank])
      let layers = run.stages[place.pipeline.index]
      let bytes = [
        memory.weights, memory.gradients, memory.moments, memory.activations, memory.buffers, memory.rows,
        memory.checkpoint, memory.total, traffic.messages.bytes + traffic.collectives.bytes,
      ]
      table.append(
        ["\(rank)", "\(place.data.index)", "\(place.pipeline.index)", "\(place.tensor.index)"]
          + [layers.count == 1 ? "\(layers.lowerBound)" : "\(layers.lowerBound)-\(layers.upperBound - 1)"]
          + bytes.map { Text.bytes($0) })
    }
    return table.rendered()
  }
}

extension TrainingRun {
  /// `mlp 64-64-32-10`
  var modelName: String {
    "\(job.kind.rawValue) \(design.model.sizes.map(String.init).joined(separator: "-"))"
  }
}
