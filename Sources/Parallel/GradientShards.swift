import Kernels
import MPI

/// The slices of a gradient where each rank updates one of them.
///
/// A slice is a run of the norm's blocks, so that the norm has the bits that it has in one piece; the last one has the totals of the step
/// behind it, which its owner tells the others.
final class GradientShards {
  /// Which elements of a slot each rank adds.
  let slices: [Range<Int>]
  /// The parameters of this rank.
  let owned: Range<Int>
  /// The parameters of each rank.
  let parameters: Partition
  private let runs: [Range<Int>]
  private let rank: Int
  private let count: Int
  private let summing: Partition
  /// The slice as it comes out of the library's reduction.
  private var part: FloatBuffer
  private let group: GroupReport

  init(blocks: NormBlocks, width: Int, ranks: Int, rank: Int, mode: GradientReduction) {
    runs = blocks.runs(parts: ranks)
    let own = runs.map { blocks.elements(of: $0) }
    slices = Self.slices(own, width: width)
    owned = own[rank]
    parameters = Partition(counts: own.map(\.count), displacements: own.map(\.lowerBound))
    self.rank = rank
    count = blocks.ranges.last?.upperBound ?? 0
    summing = Partition(counts: slices.map(\.count))
    part = FloatBuffer(count: mode == .fast ? slices[rank].count : 0)
    group = GroupReport(sumCounts: runs.map(\.count), rank: rank)
  }

  /// The slices of a slot: what lies behind the parameters belongs to the last.
  private static func slices(_ own: [Range<Int>], width: Int) -> [Range<Int>] {
    own.indices.map { own[$0].lowerBound..<($0 == own.count - 1 ? width : own[$0].upperBound) }
  }

  var isFinite: Bool { group.isFinite }
  /// The sums of squares of all blocks, where the last report was to have them.
  var blockSums: [Double] { group.sums }

  /// Leaves the sum of its slice, in any order, in slot 0 of each rank. Collective.
  func reduceScatter(_ slots: inout FloatBuffer, over communicator: borrowing Communicator) throws(MPIError) {
    try communicator.reduceScatter(slots, into: &part, summing)
    slots.copy(from: part, to: slices[rank].lowerBound)
  }

  /// Tells all ranks what the slices say. Collective.
  func report(
    _ slots: borrowing FloatBuffer, _ blocks: NormBlocks, raised: StepTotals, needsNorm: Bool,
    over communicator: borrowing Communicator
  ) throws(MPIError) -> StepTotals {
    var totals = rank == slices.count - 1 ? StepTotals(from: slots, at: count) : StepTotals()
    // Where ranks have no virtual rank their flags have travelled with no gradient.
    totals.stop = totals.stop || raised.stop
    totals.save = totals.save || raised.save
    var sums: [Double]?
    if needsNorm { sums = runs[rank].map { blocks.sum(ofBlock: $0, slots) } }
    try group.exchange(totals, isFinite: Elementwise.isFinite(slots, owned), sums: sums, over: communicator)
    return group.totals
  }
}
