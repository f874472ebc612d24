/// What a gradient with this norm is multiplied by so that its norm is at most `limit`, as PyTorch's `clip_grad_norm_`
/// does: `limit / (norm + 1e-6)` where that is below 1. A `limit` of 0 means no clipping.
///
/// A norm that is not finite gives 1 (infinite) or NaN: whoever calls checks the loss and the norm before a step.
public func clipScale(norm: Double, limit: Double) -> Double {
  guard limit > 0, norm.isFinite else { return norm.isNaN ? .nan : 1 }
  return min(1, limit / (norm + 1e-6))
}
