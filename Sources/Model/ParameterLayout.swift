/// Where each tensor of a model stands in its flat buffer of parameters; gradients and optimizer state have the same
/// layout.
public struct ParameterLayout: Equatable, Sendable {
  /// One tensor.
  public struct Entry: Equatable, Sendable {
    /// `layers.<index>.weight` or `layers.<index>.bias`.
    public let name: String
    /// [outputs, inputs] of a weight, row-major; [outputs] of a bias. Those of the whole tensor, as in files.
    public let shape: [Int]
    /// Where the elements of this rank's part stand.
    public let range: Range<Int>
    /// Which rows of the whole tensor they are; a bias has as many rows as outputs.
    public let rows: Range<Int>
    /// Which columns; a bias has one.
    public let columns: Range<Int>
    /// Whether the other ranks of a tensor split hold the same elements.
    public let isReplicated: Bool
    /// Penalties leave biases alone.
    public let isBias: Bool
    /// The index of the layer in the whole model.
    public let layer: Int
  }

  /// The tensors, without gaps: weight and bias of each layer in turn.
  public let entries: [Entry]
  /// How many floats they are together.
  public let count: Int

  /// Lays out the part of the dense layers in `layers` that the rank at `tensor` holds, of a model with `sizes` inputs,
  /// hidden..., outputs.
  /// - Parameter splits: how each of `layers` is cut.
  /// - Throws: `ModelError` where the number of parameters does not fit an `Int`.
  init(sizes: [Int], layers: Range<Int>, splits: [LayerSplit], tensor: TensorPlace) throws(ModelError) {
    var entries: [Entry] = []
    var start = 0
    for (layer, split) in zip(layers, splits) {
      let (inputs, outputs) = (sizes[layer], sizes[layer + 1])
      let rows = split == .outputs ? tensor.cut(outputs) : 0..<outputs
      let columns = split.cutsInputs ? tensor.cut(inputs) : 0..<inputs
      for (name, shape, columns) in [("weight", [outputs, inputs], columns), ("bias", [outputs], 0..<1)] {
        let isBias = shape.count == 1
        let (size, tooLarge) = rows.count.multipliedReportingOverflow(by: columns.count)
        let (end, tooMany) = start.addingReportingOverflow(size)
        guard !tooLarge, !tooMany, end <= Int.max / 16 else {
          throw ModelError("layer \(layer) of \(inputs) inputs and \(outputs) outputs is too large")
        }
        entries.append(
          Entry(
            name: "layers.\(layer).\(name)", shape: shape, range: start..<end, rows: rows, columns: columns,
            isReplicated: isBias && split.cutsInputs, isBias: isBias, layer: layer))
        start = end
      }
    }
    self.entries = entries
    count = start
  }

  /// The tensor with this name.
  public subscript(name: String) -> Entry? { entries.first { $0.name == name } }

  /// Where the parameters of these layers stand; layers are numbered as in the whole model.
  public func range(ofLayers layers: Range<Int>) -> Range<Int> {
    let inside = entries.filter { layers.contains($0.layer) }
    guard let first = inside.first, let last = inside.last else { return 0..<0 }
    return first.range.lowerBound..<last.range.upperBound
  }
}
