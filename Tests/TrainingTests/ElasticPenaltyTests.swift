import Data
import Kernels
import Model
import TestSupport
import Testing

@testable import Training

/// Elastic weight consolidation, against finite differences.
@Suite struct ElasticPenaltyTests {
  private func buffer(_ values: [Float]) -> FloatBuffer {
    var buffer = FloatBuffer(count: values.count)
    buffer.copy(from: values)
    return buffer
  }

  @Test func gradientAgreesWithFiniteDifferences() {
    var random = SeededGenerator(seed: 1)
    func draw(_ range: ClosedRange<Float>) -> [Float] { (0..<9).map { _ in Float.random(in: range, using: &random) } }
    let penalty = ElasticPenalty(weight: 3, importance: buffer(draw(0...2)), anchor: buffer(draw(-1...1)))
    let (point, data) = (draw(-1...1), draw(-1...1))
    let (scale, range) = (0.25, 2..<7)
    var parameters = buffer(point)
    let gradient = buffer(data)
    var found: [Float] = []
    penalty.withGradient(gradient, of: &parameters, scale: scale, range: range) { parameters, sum in
      found = sum.values(in: range)
      let left = parameters.values(in: 0..<9)
      #expect(left == point)
    }
    for (sum, index) in zip(found, range) {
      func penalized(_ step: Float) -> Double {
        var moved = point
        moved[index] += step
        return penalty.value(buffer(moved))
      }
      let slope = (penalized(1 / 64) - penalized(-1 / 64)) * 32
      let pull = Double(sum - data[index]) * scale
      #expect(abs(pull - slope) < 1e-5 * (1 + abs(slope)), "parameter \(index)")
    }
    let pulled = penalty.value(parameters)
    #expect(pulled > 0)
  }

  /// The importance is the mean of the squared gradients of single rows.
  @Test(arguments: [Loss.softmax, .squared]) func importanceIsTheMeanOfSquares(loss: Loss) throws {
    let folder = try TemporaryDirectory("elastic")
    let model = try Model(
      kind: .mlp, sizes: [3, 4, loss == .softmax ? 3 : 1], activation: .tanh, loss: loss)
    var random = SeededGenerator(seed: 2)
    let rows = 7
    let features: [Float] = (0..<rows * 3).map { _ in Float.random(in: -1...1, using: &random) }
    let targets: [Float] = (0..<rows).map { row in Float(row % 3) }
    let path = folder.file("rows.h5")
    let stored: ShardWriter.Targets = loss == .softmax ? .labels : .values(outputs: 1)
    let writer = try ShardWriter(path: path, columns: 3, targets: stored)
    try writer.append(buffer(features), MatrixView(rows: rows, columns: 3), targets: buffer(targets))
    try writer.finish()
    let source = try DataSource(path: path).resolve()
    let dataset = try ShardedDataset(
      descriptions: [
        .attempt(path: path, features: source.features, targets: source.targets, scanLabels: false)
      ], source: source)
    let reader = try RowReader(dataset: dataset, targetUse: ModelDesign.use(of: model).0)
    var parameters = FloatBuffer(count: model.layout.count)
    model.initialize(&parameters, seed: 3)
    let importance = try ElasticPenalty.importance(of: model, parameters, rows: reader)

    let point = parameters.values(in: 0..<parameters.count)
    let workspace = Workspace(model, rows: 1)
    func lossOf(row: Int, _ index: Int, _ step: Float) -> Double {
      var moved = point
      moved[index] += step
      model.forward(
        parameters: buffer(moved), features: buffer(Array(features.dropFirst(3 * row).prefix(3))),
        view: MatrixView(rows: 1, columns: 3), workspace: workspace)
      return model.lossSum(workspace, targets: buffer([targets[row]]), targetsOffset: 0)
    }
    for index in point.indices {
      var squares = 0.0
      for row in 0..<rows {
        let slope = (lossOf(row: row, index, 1 / 128) - lossOf(row: row, index, -1 / 128)) * 64
        squares += slope * slope / Double(rows)
      }
      #expect(abs(Double(importance[index]) - squares) < 2e-3 * (squares + 0.01), "parameter \(index)")
    }
  }
}
