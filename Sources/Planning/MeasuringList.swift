import Model
import Parallel

/// What has to be measured for the layouts of a training: the work of each kind, from the least to the most.
struct MeasuringList {
  private(set) var rows: [LayerShape: ClosedRange<Int>] = [:]
  /// Parameters that a rank updates.
  private(set) var updates: ClosedRange<Int>?
  /// Floats of a gradient.
  private(set) var widths: ClosedRange<Int>?
  /// Rows of a pass.
  private(set) var passes: ClosedRange<Int>?

  /// For all layouts that `ranks` ranks can have, and for one rank.
  init(_ training: PlannedTraining, ranks: Int, ranksPerNode: Int) throws {
    let alone = Layout(shape: GridShape(data: 1), microBatches: training.microBatches)
    for layout in training.layouts(ranks: ranks) + [alone] {
      guard let plan = training.step(layout, ranksPerNode: ranksPerNode) else { continue }
      let shape = layout.shape
      // The first copies have the most rows, the last ones the fewest.
      let rows = (plan.passes(data: 0) + plan.passes(data: shape.data - 1)).filter { $0 > 0 }
      guard let least = rows.min(), let most = rows.max() else { continue }
      passes = Self.widened(passes, least...most)
      for stage in 0..<shape.pipeline {
        let place = StepPredictor.place(shape, copy: shape.data - 1, stage: stage)
        let sum = try plan.summation(at: place)
        updates = Self.widened(updates, sum.owned...sum.owned)
        widths = Self.widened(widths, min(sum.slice, sum.width)...sum.width)
        for layer in try plan.stage(at: place).layers {
          let shape = LayerShape(layer, depth: training.model.depth)
          self.rows[shape] = Self.widened(self.rows[shape], least...most)
        }
      }
    }
  }

  private static func widened(_ range: ClosedRange<Int>?, _ other: ClosedRange<Int>) -> ClosedRange<Int> {
    guard let range else { return other }
    return min(range.lowerBound, other.lowerBound)...max(range.upperBound, other.upperBound)
  }

  /// Sizes from the least to the most, each `factor` times the one before.
  static func sizes(_ range: ClosedRange<Int>, factor: Int) -> [Int] {
    var sizes = [range.upperBound]
    while let last = sizes.last, last / factor > range.lowerBound { sizes.append(last / factor) }
    if sizes.last != range.lowerBound { sizes.append(range.lowerBound) }
    return sizes.reversed()
  }
}
