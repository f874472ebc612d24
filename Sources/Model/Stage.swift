public import Kernels

/// Consecutive layers of a model: all of them, or those that one stage of a pipeline holds; whole layers, or a rank's part
/// of each.
///
/// A stage finds its parameters at an offset that the caller gives, in the order of its `layout`: in a buffer of its own
/// at 0; one of whole layers in a buffer of the whole model at `parameters.lowerBound`.
public struct Stage: Sendable {
  /// The layers, in order.
  public let layers: [Dense]
  /// Which layers of the model they are.
  public let range: Range<Int>
  /// Which part of each this rank holds.
  public let tensor: TensorPlace
  /// What the model is trained for.
  public let loss: Loss
  /// Where the parameters of the whole layers stand in the layout of the whole model.
  public let parameters: Range<Int>
  /// This rank's part of the tensors of these layers alone, from 0; the names are those of the whole model.
  public let layout: ParameterLayout
  /// Whether the stage begins with the first layer of the model.
  public var isFirst: Bool { range.lowerBound == 0 }
  /// Whether it is a whole model of one layer with one output.
  public var hasOneScore: Bool { isFirst && isLast && layers.count == 1 && outputs == 1 }
  /// Whether the stage ends with the last layer of the model.
  public let isLast: Bool
  /// The calls of the exchange that a pass through the stage makes, in order, for plans.
  public let transfers: (forward: [LayerTransfer], loss: [LayerTransfer], backward: [LayerTransfer])

  /// Columns of the inputs. Every rank of a tensor split has them all.
  public var inputs: Int { layers[0].inputs }
  /// Columns of the outputs.
  public var outputs: Int { layers[layers.count - 1].outputs }
  /// Those of them that this rank has: all, but where the scores are split.
  public var outputColumns: Range<Int> { layers[layers.count - 1].rows }

  init(
    sizes: [Int], activation: Activation, loss: Loss, layers range: Range<Int>, tensor: TensorPlace
  ) throws(ModelError) {
    let all = 0..<sizes.count - 1
    let whole = try ParameterLayout(
      sizes: sizes, layers: all, splits: [LayerSplit](repeating: .whole, count: all.count), tensor: .whole)
    let plan = SplitPlan(sizes: sizes, loss: loss, ranks: tensor.count)
    let splits = try plan.splits(layers: range)
    let layout = try ParameterLayout(sizes: sizes, layers: range, splits: splits, tensor: tensor)
    self.range = range
    self.tensor = tensor
    self.loss = loss
    self.layout = layout
    parameters = whole.range(ofLayers: range)
    isLast = range.upperBound == all.upperBound
    layers = zip(range, splits).map { index, split in
      let weight = layout.entries[2 * (index - range.lowerBound)]
      return Dense(
        index: index, inputs: sizes[index], outputs: sizes[index + 1],
        activation: index == sizes.count - 2 ? nil : activation, split: split, rows: weight.rows,
        columns: weight.columns, weightOffset: weight.range.lowerBound, biasOffset: weight.range.upperBound)
    }
    transfers = plan.transfers(splits, layers: range)
  }

  /// Floats a row that the exchange needs beside the values.
  var stagingColumns: Int {
    let gathered = layers.map { $0.split == .slicedInputs && $0.index > 0 ? $0.inputs : 0 }.reduce(0, max)
    return isLast && outputColumns.count < outputs
      ? max(gathered, loss.stagingColumns(outputs: outputColumns.count, of: outputs, ranks: tensor.count)) : gathered
  }

  /// Runs the rows of `input` through the layers; what they give is then in `workspace.outputs`.
  ///
  /// Every rank of a tensor split calls it with the same inputs.
  public func forward<Exchange: LayerExchange>(
    parameters: borrowing FloatBuffer, at offset: Int = 0, inputs: borrowing FloatBuffer, _ input: LayerInput,
    workspace: Workspace, exchange: Exchange = NoExchange()
  ) throws(Exchange.Failure) {
    precondition(input.columns == self.inputs, "\(input.columns) columns for \(self.inputs) inputs")
    precondition(input.rows <= workspace.capacity, "\(input.rows) rows in a workspace for \(workspace.capacity)")
    precondition(workspace.layers.count == layers.count, "a workspace of \(workspace.layers.count) layers")
    check(exchange)
    workspace.rows = input.rows
    try layers[0].forward(
      inputs, input, parameters: parameters, at: offset, space: workspace.layers[0], exchange: exchange)
    try exchange.layerDone()
    for index in 1..<layers.count {
      let below = workspace.layers[index - 1]
      let before = MatrixView(rows: input.rows, columns: layers[index - 1].rows.count)
      try layers[index].forward(
        below.values, .matrix(before), parameters: parameters, at: offset, space: workspace.layers[index],
        exchange: exchange)
      try exchange.layerDone()
    }
  }

  /// Told, during a backward pass, from which parameter on the gradient is complete in the buffer.
  public typealias Progress = (_ gradient: inout FloatBuffer, _ start: Int) -> Void

  /// Adds (or writes, where `accumulate` is not set) the gradient with respect to the parameters to `gradient`, given
  /// the one with respect to the outputs in `workspace.outputGradient`; sums over the rows of the forward pass before.
  ///
  /// The gradient with respect to the inputs is then in `workspace.inputGradient`, unless the stage begins the model; on
  /// every rank of a tensor split the whole of it.
  /// - Parameter progress: called from the last layer to the first, within large layers more than once; what is complete is not touched
  ///   any more. The bits do not depend on it.
  public func backward<Exchange: LayerExchange>(
    parameters: borrowing FloatBuffer, at offset: Int = 0, inputs: borrowing FloatBuffer, _ input: LayerInput,
    workspace: Workspace, gradient: inout FloatBuffer, gradientOffset: Int = 0, accumulate: Bool,
    progress: Progress? = nil, exchange: Exchange = NoExchange()
  ) throws(Exchange.Failure) {
    precondition(input.rows == workspace.rows, "\(input.rows) rows after a forward pass of \(workspace.rows)")
    check(exchange)
    for index in layers.indices.reversed() {
      let space = workspace.layers[index]
      if index > 0 {
        let below = workspace.layers[index - 1]
        let before = MatrixView(rows: input.rows, columns: layers[index - 1].rows.count)
        layers[index].backward(
          below.values, .matrix(before), space: space, gradient: &gradient, at: gradientOffset, accumulate: accumulate,
          progress: progress)
        try layers[index].inputGradient(
          rows: input.rows, parameters: parameters, at: offset, space: space, into: &below.gradient,
          staging: &workspace.staging, exchange: exchange)
      } else {
        layers[0].backward(
          inputs, input, space: space, gradient: &gradient, at: gradientOffset, accumulate: accumulate,
          progress: progress)
        if !isFirst {
          try layers[0].inputGradient(
            rows: input.rows, parameters: parameters, at: offset, space: space, into: &workspace.inputGradient,
            staging: &workspace.staging, exchange: exchange)
        }
      }
      try exchange.layerDone()
    }
  }

  func check(_ exchange: some LayerExchange) {
    precondition(exchange.place == tensor, "the exchange of \(exchange.place) for \(tensor)")
  }

  /// Writes the first parameters: uniform within ±1/√inputs, weights and biases alike, which is the law of PyTorch's
  /// `nn.Linear`. Each is a pure function of seed, layer and index in the whole tensor, whatever the stages and parts.
  public func initialize(_ parameters: inout FloatBuffer, at offset: Int = 0, seed: UInt64) {
    for entry in layout.entries {
      let bound = 1 / Float(layers[entry.layer - range.lowerBound].inputs).squareRoot()
      // Labels: "init", the layer, weight or bias.
      var random = RandomStream(seed: seed, stream: 0x696E_6974, UInt64(entry.layer), entry.isBias ? 1 : 0)
      var values = parameters.mutableSpan
      for segment in entry.segments(of: entry.range) {
        random.position = UInt64(segment.offset)
        for index in segment.local { values[offset + index] = bound * (2 * random.uniform() - 1) }
      }
    }
  }
}
