/// Chooses how each layer of a stage is cut: so that its ranks exchange least.
///
/// For layers of about the same size that is in pairs, by outputs then by inputs: one sum forward and one backward a pair.
struct SplitPlan {
  /// Inputs of the first layer of the model, hidden..., outputs.
  let sizes: [Int]
  let loss: Loss
  /// How many ranks there are.
  let ranks: Int

  typealias Transfers = (forward: [LayerTransfer], loss: [LayerTransfer], backward: [LayerTransfer])

  /// A way to cut the layers so far, and what it costs.
  private struct Path {
    var splits: [LayerSplit]
    var cost: Int
  }

  /// One split for each of `layers`. The stage's inputs are on every rank, and so are its outputs afterwards, but for the
  /// last layer of the model.
  /// - Throws: `ModelError` where a layer is too small to give every rank a part.
  func splits(layers: Range<Int>) throws(ModelError) -> [LayerSplit] {
    if ranks == 1 { return [LayerSplit](repeating: .whole, count: layers.count) }
    // The cheapest way that leaves the values on every rank, and the cheapest that leaves each rank its part.
    var all: Path? = Path(splits: [], cost: 0)
    var part: Path?
    for layer in layers {
      let next = [
        extended(all, by: .slicedInputs, layer), extended(part, by: .inputs, layer), extended(all, by: .outputs, layer),
      ]
      all = cheaper(next[0], next[1])
      part = next[2]
      if all == nil && part == nil { throw tooSmall(layer) }
    }
    let isLast = layers.upperBound == sizes.count - 1
    guard let best = isLast ? cheaper(all, part) : all else { throw tooSmall(layers.upperBound - 1) }
    return best.splits
  }

  /// The calls of the exchange for layers that are cut so, in order.
  func transfers(_ splits: [LayerSplit], layers: Range<Int>) -> Transfers {
    let each = zip(splits, layers).map { transfers($0, layer: $1) }
    return (each.flatMap(\.forward), each.flatMap(\.loss), each.reversed().flatMap(\.backward))
  }

  private func transfers(_ split: LayerSplit, layer: Int) -> Transfers {
    let (inputs, outputs) = (sizes[layer], sizes[layer + 1])
    // Nobody asks for the gradient with respect to the inputs of the model.
    let hasInputGradient = layer > 0
    switch split {
    case .whole: return ([], [], [])
    case .outputs:
      let isLast = layer == sizes.count - 2
      return (
        [], isLast ? loss.transfers(ranks: ranks) : [], hasInputGradient ? [.sum(floats: inputs)] : []
      )
    case .inputs: return ([.sum(floats: outputs)], [], [])
    case .slicedInputs:
      return ([.sum(floats: outputs)], [], hasInputGradient ? [.gather(units: inputs, width: 1)] : [])
    }
  }

  private func extended(_ path: Path?, by split: LayerSplit, _ layer: Int) -> Path? {
    let cutSize = split == .outputs ? sizes[layer + 1] : sizes[layer]
    guard var path, cutSize >= ranks else { return nil }
    let (forward, loss, backward) = transfers(split, layer: layer)
    path.splits.append(split)
    path.cost += (forward + loss + backward).reduce(0) { $0 + $1.cost }
    return path
  }

  private func cheaper(_ first: Path?, _ second: Path?) -> Path? {
    guard let first, let second else { return first ?? second }
    return second.cost < first.cost ? second : first
  }

  private func tooSmall(_ layer: Int) -> ModelError {
    ModelError(
      "layer \(layer) of \(sizes[layer]) inputs and \(sizes[layer + 1]) outputs cannot be cut for \(ranks) tensor ranks"
    )
  }
}
