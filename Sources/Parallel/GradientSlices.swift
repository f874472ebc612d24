import Model

/// How a gradient, with the totals of the step behind it, is cut among the ranks that add it.
struct GradientSlices {
  /// Floats of a gradient and what is behind it, up to a multiple of a cache line.
  let width: Int
  /// Floats of the gradient.
  let parameters: Int
  let blocks: NormBlocks
  /// Which elements each rank adds.
  let ranges: [Range<Int>]
  /// The blocks of the norm that each rank's slice holds where ranks end with their slice alone; nil where each ends with all.
  let runs: [Range<Int>]?
  /// The parameters of which each rank ends with the sum.
  let owned: [Range<Int>]

  /// - Parameter sharded: each rank ends with the sum of its slice only. A slice is then a run of the norm's blocks, so that the norm has
  ///   the bits that it has in one piece; the totals belong to the last.
  init(_ layout: ParameterLayout, ranks: Int, sharded: Bool) {
    let width = Self.width(layout)
    self.width = width
    parameters = layout.count
    blocks = NormBlocks(layout)
    guard sharded, ranks > 1 else {
      let lines = width / 16
      ranges = (0..<ranks).map { lines * $0 / ranks * 16..<lines * ($0 + 1) / ranks * 16 }
      runs = nil
      owned = [Range<Int>](repeating: 0..<layout.count, count: ranks)
      return
    }
    let blocks = blocks
    let runs = blocks.runs(parts: ranks)
    let owned = runs.map { blocks.elements(of: $0) }
    self.runs = runs
    self.owned = owned
    ranges = owned.indices.map { owned[$0].lowerBound..<($0 == ranks - 1 ? width : owned[$0].upperBound) }
  }

  /// Where the totals of the step are.
  var totals: Range<Int> { parameters..<parameters + StepTotals.width }

  static func width(_ layout: ParameterLayout) -> Int { (layout.count + StepTotals.width + 15) / 16 * 16 }
}
