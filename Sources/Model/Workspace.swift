public import Kernels

/// What the forward pass of one batch leaves for the backward pass; made once, so that a step allocates nothing.
///
/// What a pass leaves depends on its operands alone, not on the capacity or on earlier passes. A pipeline keeps one
/// workspace for each micro-batch under way.
public final class Workspace {
  /// The largest number of rows.
  public let capacity: Int
  /// Rows of the last forward pass.
  public internal(set) var rows = 0
  /// Columns of the outputs.
  public let outputCount: Int
  /// Columns of the inputs.
  public let inputCount: Int
  /// One a layer of the stage.
  let layers: [LayerSpace]
  /// The terms of the loss: at most one an output.
  var terms: FloatBuffer
  /// The gradient with respect to the stage's inputs, rows × `inputCount`; empty for a stage that begins with the first
  /// layer of the model, which computes none.
  public var inputGradient: FloatBuffer

  /// Makes room for `rows` rows through all layers of `model`.
  public convenience init(_ model: Model, rows: Int) {
    self.init(model.stage, rows: rows)
  }

  /// Makes room for `rows` rows through the layers of `stage`.
  public init(_ stage: Stage, rows: Int) {
    precondition(rows >= 0, "a workspace for \(rows) rows")
    capacity = rows
    layers = stage.layers.map { LayerSpace($0, rows: rows) }
    outputCount = stage.outputs
    inputCount = stage.inputs
    terms = FloatBuffer(count: stage.isLast ? rows * stage.outputs : 0)
    inputGradient = FloatBuffer(count: stage.isFirst ? 0 : rows * stage.inputs)
  }

  /// The last layer of the stage.
  var last: LayerSpace { layers[layers.count - 1] }

  /// The outputs of the stage, rows × `outputCount`, contiguous from index 0: scores for the last stage of a model.
  public var outputs: FloatBuffer {
    _read { yield layers[layers.count - 1].values }
    _modify { yield &layers[layers.count - 1].values }
  }

  /// The gradient with respect to the outputs, laid out likewise: written by the loss, or by whoever received it from
  /// the next stage of a pipeline. The backward pass overwrites it.
  public var outputGradient: FloatBuffer {
    _read { yield layers[layers.count - 1].gradient }
    _modify { yield &layers[layers.count - 1].gradient }
  }

  /// Where the outputs of the last forward pass lie.
  public var outputView: MatrixView { MatrixView(rows: rows, columns: outputCount) }

  /// Floats that a workspace for `rows` rows through `stage` takes, for plans; `Int.max` where that is no number at
  /// all.
  public static func floats(_ stage: Stage, rows: Int) -> Int {
    var columns = (stage.isFirst ? 0 : stage.inputs) + (stage.isLast ? stage.outputs : 0)
    for layer in stage.layers { columns += LayerSpace.columns(layer) }
    let (count, tooMany) = columns.multipliedReportingOverflow(by: rows)
    return tooMany ? .max : count
  }
}

/// What one layer keeps of a batch; all rows × outputs of the layer.
final class LayerSpace {
  /// The outputs, after the activation.
  var values: FloatBuffer
  /// The gradient with respect to the outputs, then to the sums before the activation.
  var gradient: FloatBuffer
  /// Derivatives of the activation, for those that have to be kept; else empty.
  var slopes: FloatBuffer

  init(_ layer: Dense, rows: Int) {
    values = FloatBuffer(count: rows * layer.outputs)
    gradient = FloatBuffer(count: rows * layer.outputs)
    slopes = FloatBuffer(count: layer.activation?.keepsSlopes == true ? rows * layer.outputs : 0)
  }

  /// Floats kept for each row.
  static func columns(_ layer: Dense) -> Int {
    layer.outputs * (layer.activation?.keepsSlopes == true ? 3 : 2)
  }
}
