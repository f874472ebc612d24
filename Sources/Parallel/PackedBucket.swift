import Kernels
import MPI

/// The messages of a `GradientBucket` that goes rounded, and what rounding has left out of them.
///
/// Every piece is rounded before it is added and so is the sum, those of this rank too: no bit depends on who owns which slice, and all
/// ranks end with the same sum.
final class PackedBucket {
  /// What goes to the owners of slices and comes from the ranks, the slice of the sum, and all of the sum.
  private let outgoing: PackedRuns
  private let incoming: PackedRuns
  private let slice: PackedRuns
  private let whole: PackedRuns
  private let sending: Partition
  private let receiving: Partition
  private let slices: Partition
  private var own: FloatBuffer
  private var received: FloatBuffer
  private var sum: FloatBuffer
  /// What was left out of the pieces, and of the slice of the sum.
  private var residual: FloatBuffer
  private var sumResidual: FloatBuffer
  private var scattering: Pending<TransferPair<FloatBuffer, FloatBuffer>>?
  private var gathering: Pending<FloatBuffer>?

  /// - Parameters:
  ///   - slices: which elements of the bucket each rank owns.
  ///   - pieces: how many pieces each rank has.
  ///   - gradient: how many of the elements are of the gradient: the first.
  init(_ slices: Partition, pieces: [Int], rank: Int, gradient: Int) {
    var (outgoing, incoming, whole) = (PackedRuns(), PackedRuns(), PackedRuns())
    var (sent, received, gathered) = ([Int](), [Int](), [Int]())
    let mine = slices.range(of: rank)
    var (slice, place) = (PackedRuns(), 0)
    func append(_ range: Range<Int>, at floats: Int, to runs: inout PackedRuns) {
      let rounded = range.clamped(to: 0..<gradient).count
      runs.append(at: floats, rounded: rounded, exact: range.count - rounded)
    }
    for other in pieces.indices {
      let range = slices.range(of: other)
      var start = outgoing.end
      for piece in 0..<pieces[rank] {
        append(range, at: pieces[rank] * range.lowerBound + piece * range.count, to: &outgoing)
      }
      sent.append(outgoing.end - start)
      start = incoming.end
      for _ in 0..<pieces[other] {
        append(mine, at: place, to: &incoming)
        place += mine.count
      }
      received.append(incoming.end - start)
      start = whole.end
      if other == rank {
        slice = PackedRuns(at: start)
        append(range, at: range.lowerBound, to: &slice)
      }
      append(range, at: range.lowerBound, to: &whole)
      gathered.append(whole.end - start)
    }
    sending = Partition(counts: sent)
    receiving = Partition(counts: received)
    self.slices = Partition(counts: gathered)
    own = FloatBuffer(count: outgoing.end)
    self.received = FloatBuffer(count: incoming.end)
    sum = FloatBuffer(count: whole.end)
    residual = FloatBuffer(count: pieces[rank] * slices.end)
    sumResidual = FloatBuffer(count: slices.end)
    (self.outgoing, self.incoming, self.slice, self.whole) = (outgoing, incoming, slice, whole)
  }

  /// Drops what rounding has left out.
  func forget() {
    residual.fill(with: 0)
    sumResidual.fill(with: 0)
  }

  /// Packs the pieces of this rank, each in slices one behind the other.
  func pack(_ pieces: borrowing FloatBuffer) { outgoing.pack(pieces, carrying: &residual, into: &own) }

  /// Leaves the sum, which all ranks have the same of, in `sum`.
  func unpack(sum: inout FloatBuffer) { whole.unpack(self.sum, into: &sum) }

  // MARK: On the thread of the exchange

  func startScattering(over communicator: borrowing Communicator) throws(MPIError) {
    scattering = try communicator.startAllToAll(own.taken(), sending, into: received.taken(), receiving)
  }

  /// Whether all pieces of this rank's slice are there, which are then in `pieces`.
  func finishScattering(into pieces: inout FloatBuffer) throws(MPIError) -> Bool {
    guard try scattering?.test() ?? false, let pair = try scattering.take()?.wait() else { return false }
    own = pair.sent
    received = pair.received
    incoming.unpack(received, into: &pieces)
    return true
  }

  /// Sends the slice of this rank in `sum` to all.
  func startGathering(_ sum: borrowing FloatBuffer, over communicator: borrowing Communicator) throws(MPIError) {
    slice.pack(sum, carrying: &sumResidual, into: &self.sum)
    gathering = try communicator.startAllGather(inPlace: self.sum.taken(), slices)
  }

  /// Whether the sum is there.
  func finishGathering() throws(MPIError) -> Bool {
    guard try gathering?.test() ?? false, let whole = try gathering.take()?.wait() else { return false }
    sum = whole
    return true
  }
}
