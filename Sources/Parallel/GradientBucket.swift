import Kernels
import MPI

/// A run of the gradient that is summed over all ranks by itself, and its way there.
///
/// Each rank owns a slice of the bucket: it receives that slice of all pieces of the tree, adds them, and hands the sum to all. One thread at
/// a time touches a bucket; `BucketExchange` says which.
final class GradientBucket: @unchecked Sendable {
  /// Where its elements are in a slot.
  let parts: [Range<Int>]
  private let slices: Partition
  private let mySlice: Range<Int>
  private let pieces: Int
  private let additions: [SumTree.Addition]
  private let sending: Partition
  private let receiving: Partition
  /// The pieces of this rank: for each of the ranks its slice of all pieces.
  private var own: FloatBuffer
  private var received: FloatBuffer
  private var sum: FloatBuffer
  /// Where it goes rounded.
  private let packed: PackedBucket?
  private var scattering: Pending<TransferPair<FloatBuffer, FloatBuffer>>?
  private var gathering: Pending<FloatBuffer>?

  /// - Parameters:
  ///   - pieces: how many pieces each rank has.
  ///   - additions: how all of them add up, numbered by rank.
  ///   - totals: how many of its last elements are no gradient.
  init(
    parts: [Range<Int>], pieces: [Int], additions: [SumTree.Addition], rank: Int, totals: Int,
    precision: Wire.Precision
  ) {
    self.parts = parts
    let count = parts.reduce(0) { $0 + $1.count }
    let slices = Partition(total: count, parts: pieces.count)
    let mine = slices.counts[rank]
    self.slices = slices
    mySlice = slices.range(of: rank)
    self.pieces = pieces[rank]
    self.additions = additions
    sending = Partition(counts: slices.counts.map { $0 * pieces[rank] })
    receiving = Partition(counts: pieces.map { $0 * mine })
    own = FloatBuffer(count: sending.end)
    received = FloatBuffer(count: receiving.end)
    sum = FloatBuffer(count: count)
    packed =
      precision == .float32 ? nil : PackedBucket(slices, pieces: pieces, rank: rank, gradient: count - totals)
  }

  /// Drops what rounding has left out.
  func forget() { packed?.forget() }

  /// Takes this rank's pieces from `slots`, in which a slot has `width` floats.
  func take(from slots: borrowing FloatBuffer, width: Int) {
    for piece in 0..<pieces {
      for rank in slices.counts.indices {
        let slice = slices.range(of: rank)
        let start = pieces * slice.lowerBound + piece * slice.count
        forEachRun(of: slice) { local, place in
          own.copy(
            from: slots, range: piece * width + place.lowerBound..<piece * width + place.upperBound,
            to: start + local - slice.lowerBound)
        }
      }
    }
    packed?.pack(own)
  }

  /// Puts the sum into slot 0.
  func put(into slots: inout FloatBuffer) {
    packed?.unpack(sum: &sum)
    var local = 0
    for part in parts {
      slots.copy(from: sum, range: local..<local + part.count, to: part.lowerBound)
      local += part.count
    }
  }

  /// Calls `body` for what `range` of the bucket is in a slot, with where it begins in the bucket.
  private func forEachRun(of range: Range<Int>, _ body: (Int, Range<Int>) -> Void) {
    var start = 0
    for part in parts {
      let run = range.clamped(to: start..<start + part.count)
      if !run.isEmpty {
        let shift = part.lowerBound - start
        body(run.lowerBound, run.lowerBound + shift..<run.upperBound + shift)
      }
      start += part.count
    }
  }

  // MARK: On the thread of the exchange

  /// Sends the slices of this rank's pieces to their owners.
  func startScattering(over communicator: borrowing Communicator) throws(MPIError) {
    if let packed {
      try packed.startScattering(over: communicator)
    } else {
      scattering = try communicator.startAllToAll(own.taken(), sending, into: received.taken(), receiving)
    }
  }

  /// Whether all pieces of this rank's slice are there; it then adds them and sends the sum to all.
  func startGathering(over communicator: borrowing Communicator) throws(MPIError) -> Bool {
    if let packed {
      guard try packed.finishScattering(into: &received) else { return false }
    } else {
      guard try scattering?.test() ?? false, let pair = try scattering.take()?.wait() else { return false }
      own = pair.sent
      received = pair.received
    }
    let count = mySlice.count
    for addition in additions {
      let from = addition.from * count
      Elementwise.add(within: &received, from..<from + count, to: addition.into * count)
    }
    sum.copy(from: received, range: 0..<count, to: mySlice.lowerBound)
    if let packed {
      try packed.startGathering(sum, over: communicator)
    } else {
      gathering = try communicator.startAllGather(inPlace: sum.taken(), slices)
    }
    return true
  }

  /// Whether the sum is there.
  func finish() throws(MPIError) -> Bool {
    if let packed { return try packed.finishGathering() }
    guard try gathering?.test() ?? false, let whole = try gathering.take()?.wait() else { return false }
    sum = whole
    return true
  }
}

extension FloatBuffer {
  /// The buffer itself; another without elements is left in its place.
  mutating func taken() -> FloatBuffer {
    var other = FloatBuffer(count: 0)
    swap(&self, &other)
    return other
  }
}
