import Model

/// What decides how long a layer, or a rank's part of one, computes for a row.
public struct LayerShape: Hashable, Sendable {
  /// Where a layer stands, which says what is computed beside its products.
  public enum Role: String, CaseIterable, Sendable {
    /// Computes no gradient of its inputs.
    case first
    case inner
    /// Ends in the loss.
    case last
    /// The only layer.
    case only
  }

  public let inputs: Int
  public let outputs: Int
  public let role: Role

  public init(inputs: Int, outputs: Int, role: Role) {
    self.inputs = inputs
    self.outputs = outputs
    self.role = role
  }

  /// The part of a layer in a model of `depth` layers.
  init(_ layer: Dense, depth: Int) {
    let isFirst = layer.index == 0
    let isLast = layer.index == depth - 1
    self.init(
      inputs: layer.columns.count, outputs: layer.rows.count,
      role: isFirst ? (isLast ? .only : .first) : isLast ? .last : .inner)
  }

  /// Multiply-adds of a row, forward and backward.
  var work: Double { Double(inputs) * Double(outputs) * (role == .first || role == .only ? 2 : 3) }
}
