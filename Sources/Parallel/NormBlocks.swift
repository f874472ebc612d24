import Kernels
import Model

/// The blocks in which the squares of a gradient are summed: the same bits wherever its tensors, and the blocks of each, are.
///
/// A tensor's sum is that of its blocks in their order, and blocks are counted from the tensor's start, so no bit depends on which
/// tensors a rank holds or how many ranks share one.
struct NormBlocks {
  /// Floats of a block; the last of a tensor may have fewer.
  static let floats = 4096

  /// All blocks, in the order of the layout.
  let ranges: [Range<Int>]
  /// The blocks of each tensor.
  let entries: [Range<Int>]

  init(_ layout: ParameterLayout) {
    var ranges: [Range<Int>] = []
    entries = layout.entries.map { entry in
      let first = ranges.count
      for start in stride(from: entry.range.lowerBound, to: entry.range.upperBound, by: Self.floats) {
        ranges.append(start..<min(start + Self.floats, entry.range.upperBound))
      }
      return first..<ranges.count
    }
    self.ranges = ranges
  }

  /// The runs of blocks that `parts` ranks own, as even as whole blocks allow.
  func runs(parts: Int) -> [Range<Int>] {
    let count = ranges.last?.upperBound ?? 0
    var end = 0
    return (0..<parts).map { part in
      let start = end
      let limit = part == parts - 1 ? count : count / parts * (part + 1) + count % parts * (part + 1) / parts
      // A block goes to the part in which its middle lies.
      while end < ranges.count, (ranges[end].lowerBound + ranges[end].upperBound) / 2 < limit { end += 1 }
      return start..<end
    }
  }

  /// The elements of a run of blocks.
  func elements(of run: Range<Int>) -> Range<Int> {
    guard let first = run.first, let last = run.last else {
      let place = run.lowerBound < ranges.count ? ranges[run.lowerBound].lowerBound : ranges.last?.upperBound ?? 0
      return place..<place
    }
    return ranges[first].lowerBound..<ranges[last].upperBound
  }

  /// The sum of squares of one block of `gradient`, in which the layout begins at 0.
  func sum(ofBlock block: Int, _ gradient: borrowing FloatBuffer) -> Double {
    Reduce.orderedSumOfSquares(gradient, ranges[block])
  }

  /// The sums of the tensors, given those of the blocks.
  func entrySums(_ blockSum: (_ block: Int) -> Double) -> [Double] {
    entries.map { blocks in
      var sum = 0.0
      for block in blocks { sum += blockSum(block) }
      return sum
    }
  }
}
