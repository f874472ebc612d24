/// Where each rank's part lies in a buffer: `counts[r]` elements from element `displacements[r]` on belong to rank `r`.
///
/// Made once and used in every step: the collectives take it as it is and allocate nothing.
public struct Partition: Sendable, Equatable {
  public let counts: [Int]
  /// Not beyond `end`, also where a part without elements was placed there.
  public let displacements: [Int]
  /// The elements that a buffer must hold for every part to lie inside it.
  public let end: Int
  /// The same in MPI's type; empty where a part lies beyond what an `Int32` can say.
  let narrowCounts: [Int32]
  let narrowDisplacements: [Int32]

  /// Parts one behind the other, without gaps.
  public init(counts: [Int]) {
    var displacements: [Int] = []
    displacements.reserveCapacity(counts.count)
    var next = 0
    for count in counts {
      displacements.append(next)
      next += count
    }
    self.init(counts: counts, displacements: displacements)
  }

  /// Parts anywhere in the buffer. Parts to receive into must not overlap; parts to send from may.
  public init(counts: [Int], displacements: [Int]) {
    precondition(
      counts.count == displacements.count,
      "\(counts.count) counts, but \(displacements.count) displacements")
    var end = 0
    for (count, displacement) in zip(counts, displacements) {
      precondition(count >= 0 && displacement >= 0, "a part of \(count) elements at \(displacement)")
      if count > 0 { end = max(end, displacement + count) }
    }
    self.counts = counts
    // Only a part without elements can begin beyond the end; there any place will do.
    self.displacements = displacements.map { min($0, end) }
    self.end = end
    let isNarrow = end <= Int(Int32.max)
    narrowCounts = isNarrow ? counts.map { Int32($0) } : []
    narrowDisplacements = isNarrow ? self.displacements.map { Int32($0) } : []
  }

  /// `total` elements cut into `parts` contiguous parts, ⌊total·p/parts⌋ to ⌊total·(p+1)/parts⌋: their sizes differ by
  /// at most one.
  public init(total: Int, parts: Int) {
    precondition(total >= 0 && parts > 0, "\(total) elements in \(parts) parts")
    let border = { (part: Int) in total / parts * part + total % parts * part / parts }
    self.init(counts: (0..<parts).map { border($0 + 1) - border($0) })
  }

  /// The elements of rank `part`.
  public func range(of part: Int) -> Range<Int> {
    displacements[part]..<displacements[part] + counts[part]
  }
}
