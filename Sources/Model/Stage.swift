public import Kernels

/// Consecutive layers of a model: all of them, or those that one stage of a pipeline holds.
///
/// A stage finds its parameters at an offset that the caller gives, in the order of its `layout`: in a buffer of the
/// whole model at `parameters.lowerBound`, in a buffer of its own at 0.
public struct Stage: Sendable {
  /// The layers, in order.
  public let layers: [Dense]
  /// Which layers of the model they are.
  public let range: Range<Int>
  /// Where their parameters stand in the layout of the whole model.
  public let parameters: Range<Int>
  /// The tensors of these layers alone, from 0; the names are those of the whole model.
  public let layout: ParameterLayout
  /// Whether the stage begins with the first layer of the model.
  public var isFirst: Bool { range.lowerBound == 0 }
  /// Whether the stage ends with the last layer of the model.
  public let isLast: Bool

  /// Columns of the inputs.
  public var inputs: Int { layers[0].inputs }
  /// Columns of the outputs.
  public var outputs: Int { layers[layers.count - 1].outputs }

  init(sizes: [Int], activation: Activation, layers range: Range<Int>) throws(ModelError) {
    let whole = try ParameterLayout(sizes: sizes, layers: 0..<sizes.count - 1)
    let layout = try ParameterLayout(sizes: sizes, layers: range)
    self.range = range
    self.layout = layout
    parameters = whole.range(ofLayers: range)
    isLast = range.upperBound == sizes.count - 1
    layers = range.map { index in
      let position = 2 * (index - range.lowerBound)
      return Dense(
        index: index, inputs: sizes[index], outputs: sizes[index + 1],
        activation: index == sizes.count - 2 ? nil : activation,
        weightOffset: layout.entries[position].range.lowerBound,
        biasOffset: layout.entries[position + 1].range.lowerBound)
    }
  }

  /// Runs the rows of `view` through the layers; what they give is then in `workspace.outputs`.
  public func forward(
    parameters: borrowing FloatBuffer, at offset: Int = 0, inputs: borrowing FloatBuffer, _ view: MatrixView,
    workspace: Workspace
  ) {
    precondition(view.columns == self.inputs, "\(view.columns) columns for \(self.inputs) inputs")
    precondition(view.rows <= workspace.capacity, "\(view.rows) rows in a workspace for \(workspace.capacity)")
    precondition(workspace.layers.count == layers.count, "a workspace of \(workspace.layers.count) layers")
    workspace.rows = view.rows
    layers[0].forward(inputs, view, parameters: parameters, at: offset, space: workspace.layers[0])
    for index in 1..<layers.count {
      let before = MatrixView(rows: view.rows, columns: layers[index].inputs)
      layers[index].forward(
        workspace.layers[index - 1].values, before, parameters: parameters, at: offset, space: workspace.layers[index])
    }
  }

  /// Adds (or writes, where `accumulate` is not set) the gradient with respect to the parameters to `gradient`, given
  /// the one with respect to the outputs in `workspace.outputGradient`; sums over the rows of the forward pass before.
  ///
  /// The gradient with respect to the inputs is then in `workspace.inputGradient`, unless the stage begins the model.
  public func backward(
    parameters: borrowing FloatBuffer, at offset: Int = 0, inputs: borrowing FloatBuffer, _ view: MatrixView,
    workspace: Workspace, gradient: inout FloatBuffer, gradientOffset: Int = 0, accumulate: Bool
  ) {
    precondition(view.rows == workspace.rows, "\(view.rows) rows after a forward pass of \(workspace.rows)")
    for index in layers.indices.reversed() {
      let space = workspace.layers[index]
      if index > 0 {
        let below = workspace.layers[index - 1]
        let before = MatrixView(rows: view.rows, columns: layers[index].inputs)
        layers[index].backward(
          below.values, before, space: space, gradient: &gradient, at: gradientOffset, accumulate: accumulate)
        layers[index].inputGradient(
          rows: view.rows, parameters: parameters, at: offset, space: space, into: &below.gradient)
      } else {
        layers[0].backward(
          inputs, view, space: space, gradient: &gradient, at: gradientOffset, accumulate: accumulate)
        if !isFirst {
          layers[0].inputGradient(
            rows: view.rows, parameters: parameters, at: offset, space: space, into: &workspace.inputGradient)
        }
      }
    }
  }

  /// Writes the first parameters: uniform within ±1/√inputs, weights and biases alike, which is the law of PyTorch's
  /// `nn.Linear`. Each is a pure function of seed, layer and index, whatever the stages.
  public func initialize(_ parameters: inout FloatBuffer, at offset: Int = 0, seed: UInt64) {
    for entry in layout.entries {
      let bound = 1 / Float(layers[entry.layer - range.lowerBound].inputs).squareRoot()
      // Labels: "init", the layer, weight or bias.
      var random = RandomStream(seed: seed, stream: 0x696E_6974, UInt64(entry.layer), entry.isBias ? 1 : 0)
      var values = parameters.mutableSpan
      for index in entry.range { values[offset + index] = bound * (2 * random.uniform() - 1) }
    }
  }
}
