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
  /// Columns of the outputs that this rank has.
  public let outputCount: Int
  /// Columns of the inputs.
  public let inputCount: Int
  /// One a layer of the stage.
  let layers: [LayerSpace]
  /// The terms of the loss: at most one an output.
  var terms: FloatBuffer
  /// The targets of rows that lie apart. Room for those of models with several outputs is made with the first of them.
  var targets: FloatBuffer
  /// The gradient with respect to the stage's inputs, rows × `inputCount`; empty for a stage that begins with the first
  /// layer of the model, which computes none.
  public var inputGradient: FloatBuffer
  /// What the ranks of a tensor split exchange beside sums.
  var staging: FloatBuffer

  /// Makes room for `rows` rows through all layers of `model`.
  public convenience init(_ model: Model, rows: Int) {
    self.init(model.stage, rows: rows)
  }

  /// Makes room for `rows` rows through the layers of `stage`.
  public init(_ stage: Stage, rows: Int) {
    precondition(rows >= 0, "a workspace for \(rows) rows")
    capacity = rows
    layers = stage.layers.map { LayerSpace($0, rows: rows) }
    outputCount = stage.outputColumns.count
    inputCount = stage.inputs
    terms = FloatBuffer(count: stage.isLast ? rows * outputCount : 0)
    targets = FloatBuffer(count: stage.hasOneScore ? rows : 0)
    inputGradient = FloatBuffer(count: stage.isFirst ? 0 : rows * stage.inputs)
    staging = FloatBuffer(count: rows * stage.stagingColumns)
  }

  /// Makes room for the scores of `rows` rows alone, as `Stage.copyOutputs` brings them.
  public init(scoresOf model: Model, rows: Int) {
    capacity = rows
    layers = [LayerSpace(model.stage.layers[model.depth - 1], rows: rows)]
    outputCount = model.outputs
    inputCount = model.inputs
    terms = FloatBuffer(count: rows * model.outputs)
    targets = FloatBuffer(count: 0)
    inputGradient = FloatBuffer(count: 0)
    staging = FloatBuffer(count: 0)
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
    var columns = (stage.isFirst ? 0 : stage.inputs) + (stage.isLast ? stage.outputColumns.count : 0)
    if stage.hasOneScore { columns += 1 }
    for layer in stage.layers { columns += LayerSpace.columns(layer) }
    return floats(columns: columns + stage.stagingColumns, rows: rows)
  }

  /// The same for a workspace for the scores of `model` alone.
  public static func floats(scoresOf model: Model, rows: Int) -> Int { floats(columns: 3 * model.outputs, rows: rows) }

  private static func floats(columns: Int, rows: Int) -> Int {
    let (count, tooMany) = columns.multipliedReportingOverflow(by: rows)
    return tooMany ? .max : count
  }
}

/// What one layer keeps of a batch; all rows × those outputs of the layer that this rank has.
final class LayerSpace {
  /// The outputs, after the activation.
  var values: FloatBuffer
  /// The gradient with respect to the outputs, then to the sums before the activation.
  var gradient: FloatBuffer
  /// Derivatives of the activation, for those that have to be kept; else empty.
  var slopes: FloatBuffer

  init(_ layer: Dense, rows: Int) {
    values = FloatBuffer(count: rows * layer.rows.count)
    gradient = FloatBuffer(count: rows * layer.rows.count)
    slopes = FloatBuffer(count: layer.activation?.keepsSlopes == true ? rows * layer.rows.count : 0)
  }

  /// Floats kept for each row.
  static func columns(_ layer: Dense) -> Int {
    layer.rows.count * (layer.activation?.keepsSlopes == true ? 3 : 2)
  }
}
