/// Where each tensor of a model stands in its flat buffer of parameters; gradients and optimizer state have the same
/// layout.
public struct ParameterLayout: Equatable, Sendable {
  /// One tensor.
  public struct Entry: Equatable, Sendable {
    /// `layers.<index>.weight` or `layers.<index>.bias`.
    public let name: String
    /// [outputs, inputs] of a weight, row-major; [outputs] of a bias.
    public let shape: [Int]
    /// Where the elements stand.
    public let range: Range<Int>
    /// Penalties leave biases alone.
    public let isBias: Bool
    /// The index of the layer in the whole model.
    public let layer: Int
  }

  /// The tensors, without gaps: weight and bias of each layer in turn.
  public let entries: [Entry]
  /// How many floats they are together.
  public let count: Int

  /// Lays out dense layers of a model with `sizes` inputs, hidden..., outputs; only those in `layers` where it is
  /// given.
  /// - Throws: `ModelError` where the number of parameters does not fit an `Int`.
  init(sizes: [Int], layers: Range<Int>) throws(ModelError) {
    var entries: [Entry] = []
    var start = 0
    for layer in layers {
      let (inputs, outputs) = (sizes[layer], sizes[layer + 1])
      for (name, shape, isBias) in [("weight", [outputs, inputs], false), ("bias", [outputs], true)] {
        let (size, tooLarge) = isBias ? (outputs, false) : outputs.multipliedReportingOverflow(by: inputs)
        let (end, tooMany) = start.addingReportingOverflow(size)
        guard !tooLarge, !tooMany, end <= Int.max / 16 else {
          throw ModelError("layer \(layer) of \(inputs) inputs and \(outputs) outputs is too large")
        }
        entries.append(
          Entry(name: "layers.\(layer).\(name)", shape: shape, range: start..<end, isBias: isBias, layer: layer))
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
