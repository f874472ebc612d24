import Kernels
import Model

/// A model with parameters and a batch, made from a seed.
final class Problem {
  let model: Model
  let rows: Int
  var parameters: FloatBuffer
  var features: FloatBuffer
  var targets: FloatBuffer
  var view: MatrixView { MatrixView(rows: rows, columns: model.inputs) }

  init(_ model: Model, rows: Int, seed: UInt64 = 1) {
    self.model = model
    self.rows = rows
    parameters = FloatBuffer(count: model.layout.count)
    features = FloatBuffer(count: rows * model.inputs)
    targets = FloatBuffer(count: rows * model.targetsPerRow)
    model.initialize(&parameters, seed: seed)
    // Twice the law's width, so that activations leave their linear part.
    Elementwise.scale(&parameters, 0..<parameters.count, by: 2)
    var random = RandomStream(seed: seed, stream: 99)
    for index in 0..<features.count { features[index] = 4 * random.uniform() - 2 }
    for index in 0..<targets.count {
      targets[index] =
        switch model.targetMeaning {
        case .values: 4 * random.uniform() - 2
        case .binary: Float(random.below(2))
        case .classIndex: Float(random.below(model.outputs))
        }
    }
  }

  var featureRows: [[Double]] { lines(features.values(), model.inputs) }
  var targetRows: [[Double]] { lines(targets.values(), model.targetsPerRow) }

  private func lines(_ values: [Float], _ columns: Int) -> [[Double]] {
    (0..<rows).map { row in values[row * columns..<(row + 1) * columns].map(Double.init) }
  }

  /// Loss sum and gradient of the rows in `range`, on a workspace for `capacity` rows.
  func gradient(
    _ range: Range<Int>? = nil, capacity: Int? = nil, workspace: Workspace? = nil
  ) -> (loss: Double, gradient: [Float]) {
    let range = range ?? 0..<rows
    let workspace = workspace ?? Workspace(model, rows: capacity ?? range.count)
    var gradient = FloatBuffer([Float](repeating: .nan, count: model.layout.count))
    let loss = model.accumulateGradient(
      parameters: parameters, features: features, view: view.rows(range), targets: targets,
      targetsOffset: range.lowerBound * model.targetsPerRow, workspace: workspace, gradient: &gradient, at: 0,
      accumulate: false)
    return (loss, gradient.values())
  }
}
