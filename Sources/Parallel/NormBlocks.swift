import Kernels
import Model

/// The blocks in which the squares of a gradient are summed: the same bits wherever its tensors, and the blocks of each, are.
///
/// A tensor's sum is that of its blocks in their order, and blocks are counted from the tensor's start, so no bit depends on which
/// tensors a rank holds or how many ranks share one. Where a block lies is computed and not stored: a plan of a model that no machine
/// can hold has to cost nothing.
struct NormBlocks {
  /// Floats of a block; the last of a tensor may have fewer.
  static let floats = 4096

  /// The elements of each tensor, without gaps.
  private let tensors: [Range<Int>]
  /// The blocks of each tensor.
  private let entries: [Range<Int>]

  /// How many blocks there are.
  private var count: Int { entries.last?.upperBound ?? 0 }
  /// How many elements they hold.
  private var elements: Int { tensors.last?.upperBound ?? 0 }

  init(_ layout: ParameterLayout) {
    tensors = layout.entries.map(\.range)
    var end = 0
    entries = tensors.map { tensor in
      let start = end
      end += tensor.count / Self.floats + (tensor.count.isMultiple(of: Self.floats) ? 0 : 1)
      return start..<end
    }
  }

  /// The elements of a block.
  func range(ofBlock block: Int) -> Range<Int> {
    guard let tensor = entries.firstIndex(where: { block < $0.upperBound }) else {
      preconditionFailure("block \(block) of \(count)")
    }
    let start = tensors[tensor].lowerBound + (block - entries[tensor].lowerBound) * Self.floats
    return start..<min(start + Self.floats, tensors[tensor].upperBound)
  }

  /// The runs of blocks that `parts` ranks own, as even as whole blocks allow.
  func runs(parts: Int) -> [Range<Int>] {
    var end = 0
    return (0..<parts).map { part in
      let start = end
      let limit = elements / parts * (part + 1) + elements % parts * (part + 1) / parts
      end = part == parts - 1 ? count : firstBlock(behind: limit)
      return start..<end
    }
  }

  /// The first block whose middle is not before element `limit`: a block goes to the part in which its middle lies.
  private func firstBlock(behind limit: Int) -> Int {
    var (low, high) = (0, count)
    while low < high {
      let middle = low + (high - low) / 2
      let range = range(ofBlock: middle)
      if range.lowerBound + range.count / 2 < limit { low = middle + 1 } else { high = middle }
    }
    return low
  }

  /// The elements of a run of blocks.
  func elements(of run: Range<Int>) -> Range<Int> {
    guard let first = run.first, let last = run.last else {
      let place = run.lowerBound < count ? range(ofBlock: run.lowerBound).lowerBound : elements
      return place..<place
    }
    return range(ofBlock: first).lowerBound..<range(ofBlock: last).upperBound
  }

  /// The sum of squares of one block of `gradient`, in which the layout begins at `start`.
  func sum(ofBlock block: Int, _ gradient: borrowing FloatBuffer, at start: Int = 0) -> Double {
    let range = range(ofBlock: block)
    return Reduce.orderedSumOfSquares(gradient, start + range.lowerBound..<start + range.upperBound)
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
