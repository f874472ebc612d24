/// A buffer that an operation in flight may own.
///
/// The library reads and writes the elements while the operation runs, so a conforming type keeps them on the heap, where
/// they stay when the value moves, and nobody else may reach them while the operation owns the value. (An `InlineArray`
/// must not conform.)
public protocol TransferBuffer: ~Copyable {
  associatedtype Element: MPIElement

  var span: Span<Element> { @_lifetime(borrow self) borrowing get }
  var mutableSpan: MutableSpan<Element> { @_lifetime(&self) mutating get }
}

// Asking for the mutable span makes the storage of an array unique, so a copy that the caller kept is not written.
extension Array: TransferBuffer where Element: MPIElement {}

/// The two buffers of an operation that reads one and writes the other.
@frozen
public struct TransferPair<Sent: TransferBuffer & ~Copyable, Received: TransferBuffer & ~Copyable>: ~Copyable {
  public var sent: Sent
  public var received: Received

  @inlinable
  public init(sent: consuming Sent, received: consuming Received) {
    self.sent = sent
    self.received = received
  }
}
