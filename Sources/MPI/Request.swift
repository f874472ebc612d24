import Synchronization

/// An operation in flight that holds no buffer.
///
/// Must be waited for. One that is dropped instead, as when an error passes by, cannot be waited for without the risk of
/// waiting for ever: it is left to the library, and `Program.run` ends with an error if the program goes on regardless.
public struct Request: ~Copyable {
  private let list: RequestList

  init(_ list: RequestList) { self.list = list }

  deinit {
    if list.count > 0 { RequestList.abandoned.wrappingAdd(1, ordering: .relaxed) }
  }

  /// Returns when the operation has ended here. Corresponds to `MPI_Wait` (MPI 3.1, section 3.7.3).
  public consuming func wait() throws(MPIError) { try list.wait() }

  /// Whether the operation has ended; also gives the library time to carry it on, since Open MPI has no thread that would.
  public borrowing func test() throws(MPIError) -> Bool { try list.test() }
}

/// An operation in flight that owns its buffer, so that nobody can touch it before the operation has ended.
///
/// Must be waited for, like `Request`. The buffer of one that is dropped instead is never freed: the library may still
/// write there.
@safe public struct Pending<Buffer: ~Copyable>: ~Copyable {
  private let request: Request
  private let buffer: UnsafeMutablePointer<Buffer>

  init(_ list: RequestList, owning buffer: UnsafeMutablePointer<Buffer>) {
    request = Request(list)
    unsafe self.buffer = buffer
  }

  /// Returns the buffer when the operation has ended here. Corresponds to `MPI_Wait` (MPI 3.1, section 3.7.3).
  public consuming func wait() throws(MPIError) -> Buffer {
    let buffer = unsafe self.buffer
    try request.wait()
    let value = unsafe buffer.move()
    unsafe buffer.deallocate()
    return value
  }

  /// Whether the operation has ended; also gives the library time to carry it on, since Open MPI has no thread that would.
  public borrowing func test() throws(MPIError) -> Bool { try request.test() }
}
