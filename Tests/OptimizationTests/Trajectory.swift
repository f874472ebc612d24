import Foundation
import Kernels
import Model
import Optimization

/// A training that PyTorch did in Double; see the README of the folder the files lie in.
struct Trajectory: Decodable {
  struct Job: Decodable {
    struct Optimizer: Decodable {
      let kind: String
      let learningRate: Double
      let momentum, decay, beta1, beta2, epsilon: Double?
    }
    let layers: [Int]
    let activation, loss: String
    let optimizer: Optimizer
    let l2, weightDecay: Double
    let batchSize, steps: Int
  }
  /// A tensor of one or two dimensions, or class labels: numbers, flattened.
  struct Numbers: Decodable {
    let values: [Double]
    init(from decoder: any Decoder) throws {
      let container = try decoder.singleValueContainer()
      if let flat = try? container.decode([Double].self) {
        values = flat
      } else {
        values = try container.decode([[Double]].self).flatMap { $0 }
      }
    }
  }

  let job: Job
  let features, targets: Numbers
  let first, last: [String: Numbers]
  let losses: [Double]

  static let names = [
    "huber-adam", "linear-sgd", "logistic-momentum", "mlp-gelu-adamw", "mlp-relu-adam", "mlp-sigmoid-nesterov",
    "mlp-tanh-rmsprop", "softmax-adagrad", "svm-sgd-l2",
  ]

  static func load(_ name: String) throws -> Trajectory {
    let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appendingPathComponent("../CommandTests/Reference/\(name).json")
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    return try decoder.decode(Trajectory.self, from: Data(contentsOf: file))
  }

  func model() throws -> Model {
    try Model(
      kind: job.layers.count > 2 ? .mlp : ModelKind.allCases.first { $0.losses.contains(loss) } ?? .mlp,
      sizes: job.layers, activation: Activation(rawValue: job.activation) ?? .relu, loss: loss)
  }

  private var loss: Loss { Loss(rawValue: job.loss) ?? .squared }

  func optimizer(_ model: Model) -> Optimizer {
    var settings = OptimizerSettings(OptimizerKind(rawValue: job.optimizer.kind) ?? .sgd)
    settings.learningRate = job.optimizer.learningRate
    settings.momentum = job.optimizer.momentum ?? settings.momentum
    settings.decay = job.optimizer.decay ?? settings.decay
    settings.beta1 = job.optimizer.beta1 ?? settings.beta1
    settings.beta2 = job.optimizer.beta2 ?? settings.beta2
    settings.epsilon = job.optimizer.epsilon ?? settings.epsilon
    settings.weightDecay = job.weightDecay
    return Optimizer(settings, penalty: Penalty(l2: job.l2), layout: model.layout)
  }
}
