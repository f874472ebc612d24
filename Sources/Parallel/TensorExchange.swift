public import Kernels
public import MPI
public import Model

/// The exchange of the ranks that hold the parts of one stage.
///
/// A sum is ((x₀ + x₁) + x₂) + ... in the order of the ranks, element by element, whichever way it is computed: every rank has
/// the same bits by construction.
public final class TensorExchange: LayerExchange {
  public typealias Failure = MPIError

  public let place: TensorPlace
  /// What this rank has sent so far.
  public private(set) var traffic = Traffic()
  /// Seconds that this rank has spent in exchanges so far, most of it waiting for the other ranks.
  public private(set) var secondsExchanging = 0.0

  private let communicator: Communicator
  /// What the other ranks sent.
  private var received = FloatBuffer(count: 0)
  /// This rank's part, on its way to the others.
  private var part = FloatBuffer(count: 0)

  /// Makes the exchange among all ranks of `group`. Collective.
  public init(group: borrowing Communicator) throws(MPIError) {
    communicator = try group.duplicate()
    place = TensorPlace(index: group.rank, count: group.size)
  }

  public func sum(_ buffer: inout FloatBuffer, count: Int) throws(MPIError) {
    if place.count == 1 || count == 0 { return }
    let start = ContinuousClock.now
    if Self.addsWhole(count: count, ranks: place.count) {
      try sumWhole(&buffer, count)
    } else {
      try sumSlices(&buffer, count)
    }
    traffic += Self.trafficOfSum(count: count, place: place)
    secondsExchanging += (ContinuousClock.now - start) / .seconds(1)
  }

  public func gather(_ buffer: inout FloatBuffer, units: Int, width: Int) throws(MPIError) {
    if place.count == 1 || units * width == 0 { return }
    let start = ContinuousClock.now
    let cuts = place.cuts(units).map { $0.lowerBound * width..<$0.upperBound * width }
    try gather(&buffer, cuts)
    traffic += Self.trafficOfGather(cuts, place: place)
    secondsExchanging += (ContinuousClock.now - start) / .seconds(1)
  }

  /// Each rank gets everything of all others and adds it: one round.
  private func sumWhole(_ buffer: inout FloatBuffer, _ count: Int) throws(MPIError) {
    try add(to: &buffer, [Range<Int>](repeating: 0..<count, count: place.count))
  }

  /// Each rank adds its slice of all ranks' floats, then all slices are collected: two rounds, but the fewest bytes.
  private func sumSlices(_ buffer: inout FloatBuffer, _ count: Int) throws(MPIError) {
    let slices = place.cuts(count)
    try add(to: &buffer, slices)
    try gather(&buffer, slices)
  }

  /// Leaves the sum of `slices[r]` of all ranks on each rank r, in its place.
  private func add(to buffer: inout FloatBuffer, _ slices: [Range<Int>]) throws(MPIError) {
    let mine = slices[place.index]
    let count = mine.count
    received.reserve((place.count - 1) * count)
    let sending = Partition(
      counts: slices.indices.map { $0 == place.index ? 0 : slices[$0].count },
      displacements: slices.map(\.lowerBound))
    let receiving = Partition(counts: slices.indices.map { $0 == place.index ? 0 : count })
    try communicator.allToAll(buffer, sending, into: &received, receiving)
    // x + y and y + x are the same bits: what the ranks before this one sent is added up and then to its own.
    for rank in 0..<place.count - 1 {
      let from = rank * count..<(rank + 1) * count
      if rank + 1 < place.index {
        Elementwise.add(within: &received, from, to: from.upperBound)
      } else {
        Elementwise.add(received, from, to: &buffer, at: mine.lowerBound)
      }
    }
  }

  private func gather(_ buffer: inout FloatBuffer, _ cuts: [Range<Int>]) throws(MPIError) {
    let mine = cuts[place.index]
    part.reserve(mine.count)
    part.copy(from: buffer, range: mine)
    let toAll = Partition(
      counts: [Int](repeating: mine.count, count: place.count),
      displacements: [Int](repeating: 0, count: place.count))
    let receiving = Partition(counts: cuts.map(\.count), displacements: cuts.map(\.lowerBound))
    try communicator.allToAll(part, toAll, into: &buffer, receiving)
  }
}
