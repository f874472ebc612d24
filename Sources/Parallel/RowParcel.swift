import Kernels
import MPI

/// A buffer of rows that goes to a neighbour or comes from one. It is made once and travels in every step.
final class RowParcel {
  /// The rows; none while they travel.
  var rows: FloatBuffer
  private var pending: Pending<FloatBuffer>?

  init(floats: Int) { rows = FloatBuffer(count: floats) }

  /// Begins to receive `count` floats.
  func receive(_ count: Int, from other: Int, tag: Int, over group: borrowing Communicator) throws(MPIError) {
    pending = try group.startReceive(into: take(), range: 0..<count, from: other, tag: tag)
  }

  /// Begins to send the first `count` floats.
  func send(_ count: Int, to other: Int, tag: Int, over group: borrowing Communicator) throws(MPIError) {
    pending = try group.startSend(take(), range: 0..<count, to: other, tag: tag)
  }

  /// Returns when the rows are here and may be touched.
  func wait() throws(MPIError) {
    guard let pending = pending.take() else { return }
    rows = try pending.wait()
  }

  private func take() -> FloatBuffer {
    var taken = FloatBuffer(count: 0)
    swap(&taken, &rows)
    return taken
  }
}
