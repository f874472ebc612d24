import Files
import Kernels
import MPI

/// Sums a gradient over all ranks bucket by bucket on a thread of its own, while the layers before it still compute.
///
/// Buckets go from the last parameters to the first, as a backward pass makes them; the totals of the step are in the last bucket. The
/// bits are those of `OrderedExchange`, where numbers go as floats: the same tree for every element.
///
/// Open MPI carries messages on only while somebody is in one of its calls: the thread asks after them, and sleeps between two questions
/// while the rank computes, so that it takes little of its core. Between `hand` and the end of the last `collect` of a step no other thread
/// may call MPI.
final class BucketExchange {
  private let line: BucketLine
  private let thread: Thread
  private let width: Int
  /// Slots to which the one behind it is added before pieces are handed over.
  private let additions: [Int]
  /// Buckets handed over in this step.
  private var handed = 0

  /// Collective.
  /// - Parameters:
  ///   - buckets: in the order in which they are handed over.
  ///   - width: floats of a slot.
  ///   - additions: what is left of the additions of this rank when its last gradient is there.
  init(
    _ plan: BucketPlan, rank: Int, width: Int, additions: [Int], precision: Wire.Precision,
    over communicator: borrowing Communicator
  ) throws {
    self.width = width
    self.additions = additions
    line = try BucketLine(plan.buckets(rank: rank, precision), over: communicator)
    let line = line
    thread = try Thread("apus exchange") { line.run() }
  }

  deinit { line.end() }

  /// Drops what rounding has left out of messages. Between `collect` and `hand`.
  func forget() { for bucket in line.buckets { bucket.forget() } }

  /// Hands over what is complete in `slots` where the gradient of this rank's last summand is complete from `start` on.
  func hand(from start: Int, _ slots: inout FloatBuffer) {
    // The last bucket has the totals, which come last.
    while handed < line.buckets.count - 1, line.buckets[handed].parts[0].lowerBound >= start { hand(&slots) }
  }

  /// Hands over the rest and leaves the sum in slot 0.
  /// - Parameter isComplete: false where this rank could not compute all of its gradients: the rest is sent as it is, for the others
  ///   wait for it.
  func collect(_ slots: inout FloatBuffer, isComplete: Bool) throws(MPIError) {
    while handed < line.buckets.count { hand(&slots, isComplete: isComplete) }
    handed = 0
    for bucket in line.buckets {
      try line.collect()
      bucket.put(into: &slots)
    }
  }

  private func hand(_ slots: inout FloatBuffer, isComplete: Bool = true) {
    let bucket = line.buckets[handed]
    if isComplete {
      for slot in additions {
        for part in bucket.parts {
          let from = (slot + 1) * width
          Elementwise.add(
            within: &slots, from + part.lowerBound..<from + part.upperBound, to: slot * width + part.lowerBound)
        }
      }
    }
    bucket.take(from: slots, width: width)
    handed += 1
    line.hand()
  }
}
