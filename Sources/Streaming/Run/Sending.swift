import MPI

/// A message on its way, and its buffer.
final class Sending<Element: MPIElement> {
  private var pending: Pending<[Element]>?

  init(_ message: [Element], to rank: Int, tag: Int, _ world: borrowing Communicator) throws(MPIError) {
    pending = try world.startSend(message, to: rank, tag: tag)
  }

  /// Whether it is gone; also carries it on.
  func isDone() throws(MPIError) -> Bool {
    guard let isOver = try pending?.test() else { return true }
    if isOver { try wait() }
    return isOver
  }

  /// Returns when it is gone.
  func wait() throws(MPIError) {
    guard let pending = pending.take() else { return }
    _ = try pending.wait()
  }
}
