import MPI

/// What the ranks of a group tell each other in one small all-gather, after a reduction that left each with a part of the gradient.
final class GroupReport {
  /// Loss, rows, four flags, whether the part is finite.
  private static let header = 7

  /// The totals of all ranks together.
  private(set) var totals = StepTotals()
  /// Whether every rank's part of the gradient is finite.
  private(set) var isFinite = true
  /// The sums of all ranks one behind the other, where they were asked for.
  private(set) var sums: [Double] = []

  private let rank: Int
  private var values: [Double]
  /// Where each rank's numbers lie, with its sums and without.
  private let withSums: Partition
  private let withoutSums: Partition

  /// - Parameters:
  ///   - sumCounts: how many sums each rank contributes.
  ///   - rank: this rank in the group.
  init(sumCounts: [Int], rank: Int) {
    self.rank = rank
    withSums = Partition(counts: sumCounts.map { Self.header + $0 })
    withoutSums = Partition(counts: sumCounts.map { _ in Self.header })
    values = [Double](repeating: 0, count: withSums.end)
    sums.reserveCapacity(sumCounts.reduce(0, +))
  }

  /// Tells all ranks what this one knows. Collective.
  /// - Parameters:
  ///   - own: the totals; loss and rows on one rank of the group, flags on any.
  ///   - sums: one a place in `sumCounts`; nil, on all ranks alike, where they are not needed.
  func exchange(
    _ own: StepTotals, isFinite: Bool, sums ownSums: [Double]?, over group: borrowing Communicator
  ) throws(MPIError) {
    let partition = ownSums == nil ? withoutSums : withSums
    let start = partition.range(of: rank).lowerBound
    let header =
      [own.lossSum, Double(own.rows)] + [own.stop, own.save, own.writing, own.failed, isFinite].map { $0 ? 1 : 0 }
    for (index, value) in (header + (ownSums ?? [])).enumerated() { values[start + index] = value }
    try group.allGather(inPlace: &values, partition)
    totals = StepTotals()
    self.isFinite = true
    sums.removeAll(keepingCapacity: true)
    for other in 0..<partition.counts.count {
      let range = partition.range(of: other)
      let start = range.lowerBound
      totals.lossSum += values[start]
      totals.rows += Int(values[start + 1])
      totals.raise(
        StepTotals(
          stop: values[start + 2] > 0, save: values[start + 3] > 0, failed: values[start + 5] > 0,
          writing: values[start + 4] > 0))
      self.isFinite = self.isFinite && values[start + 6] > 0
      sums += values[(start + Self.header)..<range.upperBound]
    }
  }

  /// Bytes that a rank contributes.
  static func bytes(sums: Int) -> Int { 8 * (header + sums) }
}

extension Communicator {
  /// `allGather` on an array where each rank has its part in place.
  fileprivate borrowing func allGather(
    inPlace values: inout [Double], _ partition: Partition
  ) throws(MPIError) {
    var span = values.mutableSpan
    try allGather(inPlace: &span, partition)
  }
}
