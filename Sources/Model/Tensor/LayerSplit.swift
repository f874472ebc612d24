/// How the weights of a layer are cut among the ranks of a tensor split.
///
/// Source: M. Shoeybi et al., Megatron-LM (2019), for the pair of `outputs` and `inputs`.
public enum LayerSplit: Equatable, Sendable {
  /// Not at all.
  case whole
  /// Each rank computes some outputs from all inputs, and keeps only these.
  case outputs
  /// Each rank has only its part of the inputs, which the layer before left there; the outputs are sums over all ranks.
  case inputs
  /// As `inputs`, after a layer that left all of its outputs on every rank: each rank takes its columns of them.
  case slicedInputs

  /// Whether each rank multiplies its part of the inputs, so that the outputs are sums over the ranks.
  var cutsInputs: Bool { self == .inputs || self == .slicedInputs }
}
