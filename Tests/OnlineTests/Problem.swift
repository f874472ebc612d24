import Kernels
import Model
import Online
import Optimization

/// Rows for learners: features of different scales, and a target that depends on them.
struct Problem {
  let columns: Int
  let count: Int
  let features: FloatArray
  let targets: FloatArray

  typealias FloatArray = [Float]

  var featureBuffer: FloatBuffer { FloatBuffer(features) }
  var targetBuffer: FloatBuffer { FloatBuffer(targets) }

  /// - Parameter classes: 0 for a quantity.
  init(rows: Int, columns: Int, classes: Int, seed: UInt64) {
    var random = RandomStream(seed: seed)
    self.columns = columns
    count = rows
    var features: [Float] = []
    var targets: [Float] = []
    for _ in 0..<rows {
      let row = (0..<columns).map { column in Float(random.normal() * Double(column + 1) + Double(column % 3)) }
      var scores = (0..<max(classes, 1)).map { output in
        row.indices.reduce(Float(0)) { $0 + row[$1] * Float((output * 7 + $1 * 3) % 5 - 2) / Float($1 + 1) }
      }
      for output in scores.indices { scores[output] += Float(random.normal()) / 4 }
      features += row
      switch classes {
      case 0: targets.append(scores[0] + 3)
      case 2: targets.append(scores[0] > 0 ? 1 : 0)
      default: targets.append(Float(scores.indices.max { scores[$0] < scores[$1] } ?? 0))
      }
    }
    (self.features, self.targets) = (features, targets)
  }
}

/// Learners of all kinds, with the optimizers that remember something.
enum Learners {
  static let all: [(String, LearnerSettings, classes: Int)] = {
    func settings(
      _ kind: LearnerKind, _ outputs: Int, _ change: (inout LearnerSettings) -> Void = { _ in }
    ) -> LearnerSettings {
      var settings = LearnerSettings(kind, inputs: 7, outputs: outputs)
      settings.optimizer.learningRate = 0.02
      change(&settings)
      return settings
    }
    return [
      ("linear sgd", settings(.linear, 1), 0),
      ("linear huber momentum", settings(.linear, 1) { ($0.loss, $0.optimizer.kind) = (.huber, .momentum) }, 0),
      ("logistic sgd", settings(.logistic, 1), 2),
      ("logistic adagrad", settings(.logistic, 1) { $0.optimizer = .init(.adagrad) }, 2),
      ("logistic ftrl", settings(.logistic, 1) { ($0.optimizer, $0.penalty.l1) = (.init(.ftrl), 0.1) }, 2),
      ("svm sgd decaying", settings(.svm, 1) { $0.schedule = .init(.inverseTime) }, 2),
      ("svm classes adam", settings(.svm, 4) { $0.optimizer.kind = .adam }, 4),
      ("softmax adam", settings(.softmax, 4) { ($0.optimizer.kind, $0.imputes) = (.adam, true) }, 4),
      ("mlp adam", settings(.mlp, 4) { ($0.hidden, $0.loss, $0.optimizer.kind) = ([9], .softmax, .adam) }, 4),
      ("rls", settings(.rls, 1), 0),
      ("rls forgetting", settings(.rls, 1) { ($0.forgetting, $0.ridge) = (0.99, 0.1) }, 0),
      ("passive aggressive", settings(.passiveAggressive, 1), 2),
      ("passive aggressive classes", settings(.passiveAggressive, 4) { $0.variant = .pa2 }, 4),
    ]
  }()
}
