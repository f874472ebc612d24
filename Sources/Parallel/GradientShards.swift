import Kernels
import MPI

/// What the ranks do where each ends with the sum of its slice of the gradient alone.
final class GradientShards {
  private let slices: GradientSlices
  private let runs: [Range<Int>]
  private let rank: Int
  private let summing: Partition
  /// The parameters that each rank updates.
  private let parameters: Partition
  /// The slice as it comes out of the library's reduction.
  private var part: FloatBuffer
  private let group: GroupReport

  init(_ slices: GradientSlices, runs: [Range<Int>], rank: Int, mode: GradientReduction) {
    self.slices = slices
    self.runs = runs
    self.rank = rank
    summing = Partition(counts: slices.ranges.map(\.count))
    parameters = Partition(counts: slices.owned.map(\.count), displacements: slices.owned.map(\.lowerBound))
    part = FloatBuffer(count: mode == .fast ? slices.ranges[rank].count : 0)
    group = GroupReport(sumCounts: runs.map(\.count), rank: rank)
  }

  var isFinite: Bool { group.isFinite }
  /// The sums of squares of all blocks, where the last report was to have them.
  var blockSums: [Double] { group.sums }

  /// Leaves the sum of its slice, in any order, in slot 0 of each rank. Collective.
  func reduceScatter(_ slots: inout FloatBuffer, over communicator: borrowing Communicator) throws(MPIError) {
    try communicator.reduceScatter(slots, into: &part, summing)
    slots.copy(from: part, to: slices.ranges[rank].lowerBound)
  }

  /// Tells all ranks what the slices say. Collective.
  func report(
    _ slots: borrowing FloatBuffer, raised: StepTotals, needsNorm: Bool, over communicator: borrowing Communicator
  ) throws(MPIError) -> StepTotals {
    let owned = slices.owned[rank]
    // The totals are behind the last slice.
    var totals = rank == runs.count - 1 ? StepTotals(from: slots, at: slices.owned[rank].upperBound) : StepTotals()
    // Where ranks have no virtual rank their flags have travelled with no gradient.
    totals.raise(raised)
    var sums: [Double]?
    if needsNorm { sums = runs[rank].map { slices.blocks.sum(ofBlock: $0, slots) } }
    try group.exchange(totals, isFinite: Elementwise.isFinite(slots, owned), sums: sums, over: communicator)
    return group.totals
  }

  /// Brings the parameters that each rank has updated to all. Collective.
  func share(_ values: inout FloatBuffer, over communicator: borrowing Communicator) throws(MPIError) {
    try communicator.allGather(inPlace: &values, parameters)
  }
}
