import Kernels
import Model

/// What the parts of a model give for a problem, stage after stage, every rank on a thread.
struct TensorResult {
  /// One rank's part of a stage.
  struct Part: Sendable {
    var stage: Stage
    var loss = 0.0
    var outputs: [Float] = []
    var scores: [Float] = []
    var gradient: [Float] = []
    var inputGradient: [Float] = []
    var calls: [ThreadExchange.Call] = []
  }

  /// By stage and rank.
  var parts: [[Part]] = []
  /// The parts of the last stage, added.
  var loss: Double { parts[parts.count - 1].reduce(0) { $0 + $1.loss } }

  /// The gradient of the whole model, put together of the parts; NaN where none has an element.
  func gradient(_ layout: ParameterLayout) -> [Float] {
    var whole = [Float](repeating: .nan, count: layout.count)
    for part in parts.joined() {
      for entry in part.stage.layout.entries {
        guard let start = layout[entry.name]?.range.lowerBound else { continue }
        for segment in entry.segments(of: entry.range) {
          for (index, local) in segment.local.enumerated() {
            whole[start + segment.offset + index] = part.gradient[local]
          }
        }
      }
    }
    return whole
  }
}

extension Problem {
  /// Forward through all stages, loss, backward through all, each cut among `ranks` ranks.
  func split(_ ranks: Int, stages: [Range<Int>]) throws -> TensorResult {
    let (model, rows) = (model, rows)
    var result = TensorResult()
    for layers in stages {
      result.parts.append(
        try (0..<ranks).map { rank in
          TensorResult.Part(
            stage: try model.stage(layers: layers, tensor: TensorPlace(index: rank, count: ranks)))
        })
    }
    let (parameters, targets) = (parameters.values(), targets.values())
    let last = result.parts.count - 1
    // Forward; a part's backward pass needs its workspace, so both happen in one go, with what the next stage found.
    var inputs = [features.values()]
    for index in 0..<last {
      let (stages, x) = (result.parts[index].map(\.stage), inputs[index])
      let outputs = RankThreads.run(ranks) { exchange -> [Float] in
        let stage = stages[exchange.place.index]
        let workspace = Workspace(stage, rows: rows)
        stage.forward(
          parameters: Self.part(of: parameters, model, stage), inputs: FloatBuffer(x),
          .matrix(MatrixView(rows: rows, columns: stage.inputs)), workspace: workspace, exchange: exchange)
        return workspace.outputs.values(in: 0..<rows * stage.outputs)
      }
      inputs.append(outputs[0])
    }
    var slopes: [Float] = []
    for index in (0...last).reversed() {
      let (parts, x, d) = (result.parts[index], inputs[index], slopes)
      result.parts[index] = RankThreads.run(ranks) { exchange in
        Self.run(parts[exchange.place.index], parameters, model, rows, x, targets, d, exchange)
      }
      slopes = result.parts[index][0].inputGradient
    }
    return result
  }

  private static func run(
    _ part: TensorResult.Part, _ parameters: [Float], _ model: Model, _ rows: Int, _ inputs: [Float],
    _ targets: [Float], _ slopes: [Float], _ exchange: ThreadExchange
  ) -> TensorResult.Part {
    var part = part
    let stage = part.stage
    let own = Self.part(of: parameters, model, stage)
    let x = FloatBuffer(inputs)
    let view = MatrixView(rows: rows, columns: stage.inputs)
    // More room than needed, and nothing to rely on in it.
    let workspace = Workspace(stage, rows: rows + 1)
    stage.forward(parameters: own, inputs: x, .matrix(view), workspace: workspace, exchange: exchange)
    part.outputs = workspace.outputs.values(in: 0..<rows * stage.outputColumns.count)
    if stage.isLast {
      part.loss = stage.lossSum(workspace, targets: FloatBuffer(targets), at: 0, exchange: exchange)
    } else {
      workspace.outputGradient.copy(from: slopes)
    }
    var gradient = FloatBuffer([Float](repeating: .nan, count: stage.layout.count))
    stage.backward(
      parameters: own, inputs: x, .matrix(view), workspace: workspace, gradient: &gradient, accumulate: false,
      exchange: exchange)
    part.gradient = gradient.values()
    if !stage.isFirst { part.inputGradient = workspace.inputGradient.values(in: 0..<view.count) }
    part.calls = exchange.calls
    if stage.isLast {
      let scores = Workspace(scoresOf: model, rows: rows)
      stage.copyOutputs(of: workspace, to: scores, exchange: exchange)
      part.scores = scores.outputs.values(in: 0..<rows * model.outputs)
    }
    return part
  }

  /// A rank's part of the parameters of the whole model.
  static func part(of parameters: [Float], _ model: Model, _ stage: Stage) -> FloatBuffer {
    var own = FloatBuffer(count: stage.layout.count)
    for entry in stage.layout.entries {
      let start = model.layout[entry.name]?.range.lowerBound ?? 0
      for segment in entry.segments(of: entry.range) {
        let first = start + segment.offset
        own.copy(from: Array(parameters[first..<first + segment.local.count]), at: segment.local.lowerBound)
      }
    }
    return own
  }
}
