import Data
import Kernels
import Model
import Preparation
import Training

/// Turns features into predictions, a block of rows at a time.
///
/// The borders of the blocks depend on the model alone, so that the predictions are equal bit for bit on any number of ranks.
final class Predictor {
  private static let mostRows = 4096
  /// What the features, layers and outputs of a block may take.
  private static let mostBytes = 64 << 20

  let schema: PredictionSchema
  /// Rows of a block; only the last one has fewer.
  let blockRows: Int
  /// Features of a row.
  var columns: Int { loaded.model.inputs }
  private let loaded: LoadedModel
  private let workspace: Workspace
  /// Names the rows in messages.
  private let dataPath: String
  /// What the model learned in place of its target, which is undone.
  private let targetTransform: TargetTransform

  init(_ loaded: LoadedModel, dataPath: String) throws {
    targetTransform = try loaded.description.targetTransform()
    self.loaded = loaded
    self.dataPath = dataPath
    schema = PredictionSchema(loaded.description)
    let model = loaded.model
    let floats = model.inputs + Workspace.floats(model.stage, rows: 1) + schema.width
    blockRows = min(max(Self.mostBytes / 4 / floats, 1), Self.mostRows)
    workspace = Workspace(model, rows: blockRows)
  }

  /// The predictions of the first `rows` rows in `features`.
  ///
  /// - Parameters:
  ///   - first: the number of the first of them in the data, for messages.
  ///   - leftOut: rows that get no prediction: the label -1 and numbers that are none; empty where all get one.
  /// - Throws: `DataError` where an output is not finite.
  func predict(_ features: borrowing FloatBuffer, rows: Int, first: Int, leftOut: [Bool]) throws(DataError)
    -> PredictionBlock
  {
    precondition(rows <= blockRows, "\(rows) rows in a block of \(blockRows)")
    guard rows > 0 else { return .empty }
    let model = loaded.model
    let view = MatrixView(rows: rows, columns: model.inputs)
    loaded.withParameters { parameters in
      model.forward(parameters: parameters, features: features, view: view, workspace: workspace)
    }
    let count = rows * model.outputs
    if let index = Elementwise.firstNonFinite(workspace.outputs, 0..<count) {
      throw DataError(
        .invalid,
        "'\(dataPath)', row \(first + index / model.outputs): the model's output is \(workspace.outputs[index])",
        hint: "its features may be far from those that the model was trained on")
    }
    // Before the scores become probabilities, of which two may be equal where the scores are not.
    let labels = labels(rows: rows)
    model.transformOutputs(workspace)
    var outputs = workspace.outputs.values(in: 0..<count)
    if targetTransform != .none {
      for index in outputs.indices {
        let value = Float(targetTransform.inverted(Double(outputs[index])))
        guard value.isFinite else {
          throw DataError(
            .invalid,
            "'\(dataPath)', row \(first + index / model.outputs): the target for the model's output \(outputs[index]) is too large for a 32-bit number",
            hint: "its features may be far from those that the model was trained on")
        }
        outputs[index] = value
      }
    }
    // One output for two classes is the probability of the second.
    let isHalf = schema.numbers == .probabilities && schema.width == 2 * model.outputs && schema.labels == 1
    var block = PredictionBlock(labels: labels, numbers: isHalf ? outputs.flatMap { [1 - $0, $0] } : outputs)
    for row in leftOut.indices where leftOut[row] { block.clear(row, schema) }
    return block
  }

  private func labels(rows: Int) -> [Int32] {
    switch schema.labels {
    case 0: []
    case 1 where !schema.classNames.isEmpty:
      (0..<rows).map { Int32(loaded.model.predictedClass(row: $0, workspace) ?? 0) }
    default: (0..<rows * schema.labels).map { workspace.outputs[$0] > 0 ? 1 : 0 }
    }
  }
}
