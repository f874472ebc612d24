internal import JSON
internal import Kernels
internal import Model

/// A linear classifier that stays as it is where a row is right with a margin of 1, and else changes as little as puts it right.
///
/// Two classes share one score; more have one each, and the row's class is set against the highest of the others. The parameters are laid
/// out as those of a model of kind `svm`. Biases move with the weights and do not count in the norm of a row, as in River's `PAClassifier`.
///
/// Source: K. Crammer et al., Online Passive-Aggressive Algorithms (JMLR 2006), sections 3 and 8.
final class PassiveAggressive {
  private let inputs: Int
  private(set) var outputs: Int
  private let variant: PassiveAggressiveVariant
  private let aggressiveness: Double
  var parameters: FloatBuffer
  var noGradient = FloatBuffer(count: 0)
  private var scores: FloatBuffer
  private var losses = FloatBuffer(count: 1)
  private var factor = FloatBuffer(count: 1)
  private(set) var steps = 0

  init(_ settings: LearnerSettings, outputs: Int) {
    inputs = settings.inputs
    self.outputs = outputs
    variant = settings.variant
    aggressiveness = settings.aggressiveness
    parameters = FloatBuffer(count: outputs * (inputs + 1))
    scores = FloatBuffer(count: outputs)
  }

  /// Learns the first `count` rows one by one and adds their outcomes.
  /// - Returns: how many rows were learned: fewer where scores are not finite any more.
  func learn(
    _ features: borrowing FloatBuffer, _ targets: borrowing FloatBuffer, count: Int, outcomes: inout Outcomes
  ) -> Int {
    for row in 0..<count {
      score(features, row)
      let target = Int(targets[row])
      let loss: Float
      let wrong: Int
      if outputs == 1 {
        wrong = 0
        loss = max(0, 1 - (target == 1 ? scores[0] : -scores[0]))
      } else {
        wrong = highest(but: target)
        loss = max(0, 1 - (scores[target] - scores[wrong]))
      }
      guard loss.isFinite else { return row }
      losses[0] = loss
      outcomes.add(scores, targets, first: row, losses: losses, rows: 1, outputs: outputs)
      steps += 1
      if loss == 0 { continue }
      let step = Float(size(loss: Double(loss), features, row))
      if outputs == 1 {
        move(0, by: target == 1 ? step : -step, features, row)
      } else {
        move(target, by: step, features, row)
        move(wrong, by: -step, features, row)
      }
    }
    return count
  }

  /// Adds what the model says of the first `count` rows.
  func predict(_ features: borrowing FloatBuffer, count: Int, outcomes: inout Outcomes) {
    for row in 0..<count {
      score(features, row)
      outcomes.add(scores, rows: 1, outputs: outputs)
    }
  }

  private func score(_ features: borrowing FloatBuffer, _ row: Int) {
    for output in 0..<outputs {
      scores[output] =
        Reduce.orderedDot(features, row * inputs..<(row + 1) * inputs, parameters, at: output * inputs)
        + parameters[outputs * inputs + output]
    }
  }

  private func highest(but target: Int) -> Int {
    var best = target == 0 ? 1 : 0
    for output in 0..<outputs where output != target && scores[output] > scores[best] { best = output }
    return best
  }

  /// How far the weights of a score move along the row.
  private func size(loss: Double, _ features: borrowing FloatBuffer, _ row: Int) -> Double {
    let norm = Reduce.orderedSumOfSquares(features, row * inputs..<(row + 1) * inputs) * (outputs == 1 ? 1 : 2)
    return switch variant {
    case .pa: norm > 0 ? loss / norm : 0
    case .pa1: norm > 0 ? min(aggressiveness, loss / norm) : 0
    case .pa2: loss / (norm + 0.5 / aggressiveness)
    }
  }

  private func move(_ output: Int, by step: Float, _ features: borrowing FloatBuffer, _ row: Int) {
    factor[0] = step
    LinearRows.weightedSum(
      features, RowSelection(first: row, count: 1), columns: inputs, factors: factor, into: &parameters,
      at: output * inputs, accumulate: true)
    parameters[outputs * inputs + output] += step
  }

  /// Takes the place of the model that has grown.
  func grow(_ growth: ModelGrowth) {
    var grown = FloatBuffer(count: growth.new.layout.count)
    growth.copy(parameters, to: &grown)
    parameters = grown
    outputs = growth.new.outputs
    scores = FloatBuffer(count: outputs)
  }

  var json: JSONValue { .object([("steps", .integer(steps)), ("parameters", .bits(parameters.values()))]) }

  func resume(_ state: StateReader) throws(OnlineError) {
    steps = try state.count("steps")
    parameters.copy(from: try state.floats("parameters", count: parameters.count))
  }
}
