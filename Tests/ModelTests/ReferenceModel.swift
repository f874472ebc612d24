import Foundation
import Model

/// The same models in Double, written as the definitions read, to check the fast ones against.
struct ReferenceModel {
  let sizes: [Int]
  let activation: Activation
  let loss: Loss

  init(_ model: Model) {
    (sizes, activation, loss) = (model.sizes, model.activation, model.loss)
  }

  /// The scores of one row; `parameters` hold weight and bias of each layer in turn.
  func scores(_ parameters: [Double], _ row: [Double]) -> [Double] {
    var values = row
    var start = 0
    for layer in 0..<sizes.count - 1 {
      let (inputs, outputs) = (sizes[layer], sizes[layer + 1])
      let bias = start + inputs * outputs
      var next: [Double] = []
      for output in 0..<outputs {
        var sum = parameters[bias + output]
        for input in 0..<inputs { sum += parameters[start + output * inputs + input] * values[input] }
        next.append(layer == sizes.count - 2 ? sum : activate(sum))
      }
      values = next
      start = bias + outputs
    }
    return values
  }

  private func activate(_ z: Double) -> Double {
    switch activation {
    case .relu: max(z, 0)
    case .tanh: tanh(z)
    case .sigmoid: 1 / (1 + exp(-z))
    case .gelu: 0.5 * z * (1 + erf(z / 2.0.squareRoot()))
    }
  }

  /// The loss of one row.
  func loss(_ scores: [Double], _ targets: [Double]) -> Double {
    let count = Double(scores.count)
    switch loss {
    case .squared: return zip(scores, targets).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) } / count
    case .absolute: return zip(scores, targets).reduce(0) { $0 + abs($1.0 - $1.1) } / count
    case .huber:
      return zip(scores, targets).reduce(0) { sum, pair in
        let d = abs(pair.0 - pair.1)
        return sum + (d <= 1 ? d * d / 2 : d - 0.5)
      } / count
    case .logistic:
      return zip(scores, targets).reduce(0) { sum, pair in
        sum - log(1 / (1 + exp(pair.1 == 1 ? -pair.0 : pair.0)))
      } / count
    case .hinge, .squaredHinge:
      var sum = 0.0
      for (index, score) in scores.enumerated() {
        let positive = scores.count == 1 ? targets[0] == 1 : Int(targets[0]) == index
        let short = max(0, 1 - (positive ? score : -score))
        sum += loss == .hinge ? short : short * short
      }
      return sum
    case .softmax:
      return -log(exp(scores[Int(targets[0])]) / scores.reduce(0) { $0 + exp($1) })
    }
  }

  /// The sum of the losses of all rows.
  func lossSum(_ parameters: [Double], _ rows: [[Double]], _ targets: [[Double]]) -> Double {
    zip(rows, targets).reduce(0) { $0 + loss(scores(parameters, $1.0), $1.1) }
  }

  /// The derivatives of `lossSum` by central differences.
  func gradient(_ parameters: [Double], _ rows: [[Double]], _ targets: [[Double]]) -> [Double] {
    let step = 1e-6
    var moved = parameters
    return parameters.indices.map { index in
      moved[index] = parameters[index] + step
      let above = lossSum(moved, rows, targets)
      moved[index] = parameters[index] - step
      let below = lossSum(moved, rows, targets)
      moved[index] = parameters[index]
      return (above - below) / (2 * step)
    }
  }
}
