import Model
import Parallel

/// What a rank reads and writes of files of the model and of its optimizer's moments.
///
/// Every element is read by each rank that holds it, and written by one of them: those with the same part of the model share the work.
struct HeldRuns: Sendable {
  /// The parameters that the rank holds.
  let parameters: [TensorRun]
  /// Those that it writes.
  let writtenParameters: [TensorRun]
  /// Where its moments begin in its layout.
  let momentOrigin: Int
  /// The moments that it keeps.
  let moments: [TensorRun]
  let writtenMoments: [TensorRun]
  /// Other ranks keep the same moments.
  let sharesMoments: Bool

  /// - Parameters:
  ///   - layout: of the part that the rank holds.
  ///   - owned: the part of that layout whose moments it keeps.
  ///   - data: its place among the ranks that hold the same part.
  ///   - isFirstOfSplit: false where other ranks of a tensor split write the elements that all of them hold.
  init(
    layout: ParameterLayout, owned: Range<Int>, data: (index: Int, count: Int), isFirstOfSplit: Bool,
    whole: ParameterLayout
  ) {
    let slice = layout.count * data.index / data.count..<layout.count * (data.index + 1) / data.count
    sharesMoments = owned.count == layout.count
    momentOrigin = owned.lowerBound
    parameters = layout.runs(of: 0..<layout.count, in: whole)
    writtenParameters = layout.runs(of: slice, in: whole, replicated: isFirstOfSplit)
    moments = sharesMoments ? parameters : layout.runs(of: owned, in: whole)
    writtenMoments = sharesMoments ? writtenParameters : layout.runs(of: owned, in: whole, replicated: isFirstOfSplit)
  }
}
