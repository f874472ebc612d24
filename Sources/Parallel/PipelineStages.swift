/// Which layers each stage of a pipeline holds.
public enum PipelineStages {
  /// Cuts the layers of a model with `sizes` inputs, hidden..., outputs into `stages` runs whose largest has as little work as can be.
  ///
  /// Where there is a choice the later stages take more: the earlier ones keep more micro-batches.
  /// - Parameter stages: at most as many as there are layers.
  public static func balanced(sizes: [Int], stages: Int) -> [Range<Int>] {
    let works = works(sizes: sizes)
    precondition(stages > 0 && stages <= works.count, "\(stages) stages for \(works.count) layers")
    // The least bound that suffices, by bisection between the largest layer and all layers.
    var low = works.max() ?? 0
    var high = works.reduce(0, +)
    while low < high {
      let middle = low + (high - low) / 2
      if cut(works, stages: stages, bound: middle) != nil { high = middle } else { low = middle + 1 }
    }
    guard let ranges = cut(works, stages: stages, bound: low) else {
      preconditionFailure("\(works.count) layers do not fit \(stages) stages of work \(low)")
    }
    return ranges
  }

  /// The layers of stages that hold so many each.
  public static func runs(ofLengths lengths: [Int]) -> [Range<Int>] {
    var end = 0
    return lengths.map { length in
      end += length
      return end - length..<end
    }
  }

  /// Multiply-adds of each layer for one row, forward and backward. The first layer computes no gradient of its inputs.
  public static func works(sizes: [Int]) -> [Int] {
    (0..<sizes.count - 1).map { (layer: Int) -> Int in (layer == 0 ? 2 : 3) * sizes[layer] * sizes[layer + 1] }
  }

  /// Runs of layers with at most `bound` work each, filled from the last on; `nil` where they do not hold all layers.
  private static func cut(_ works: [Int], stages: Int, bound: Int) -> [Range<Int>]? {
    var ranges: [Range<Int>] = []
    var end = works.count
    for stage in (0..<stages).reversed() {
      var start = end
      var work = 0
      // Each of the stages before needs a layer.
      while start > stage, work + works[start - 1] <= bound {
        start -= 1
        work += works[start]
      }
      ranges.append(start..<end)
      end = start
    }
    return end == 0 ? ranges.reversed() : nil
  }
}
