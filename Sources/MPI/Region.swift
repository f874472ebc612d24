/// The memory behind a span, without its type: what the C library takes.
///
/// A region is made from a parameter and used before the function returns; the caller's borrow, or exclusive access,
/// lasts as long as the call, and so does the memory. Operations that outlive the call make theirs from a buffer that
/// they own (`Pending`).
@safe struct Region {
  let base: UnsafeMutableRawPointer?
  /// Elements.
  let count: Int
  let kind: ElementKind

  init(base: UnsafeMutableRawPointer?, count: Int, kind: ElementKind) {
    unsafe self.base = base
    self.count = count
    self.kind = kind
  }

  init<E: MPIElement>(reading span: borrowing Span<E>) {
    let base = unsafe span.withUnsafeBytes { $0.baseAddress }
    unsafe self.init(base: UnsafeMutableRawPointer(mutating: base), count: span.count, kind: E.elementKind)
  }

  init<E: MPIElement>(writing span: inout MutableSpan<E>) {
    let base = unsafe span.withUnsafeMutableBytes { $0.baseAddress }
    unsafe self.init(base: base, count: span.count, kind: E.elementKind)
  }

  /// The same for a span that a protocol's accessor lends and will not give: it was asked for as a mutable one, so the
  /// memory is there to be written.
  init<E: MPIElement>(placeOf span: borrowing MutableSpan<E>) { self.init(reading: span.span) }

  /// Where element `offset` lies.
  func address(_ offset: Int) -> UnsafeMutableRawPointer? { unsafe base.map { unsafe $0 + offset * kind.stride } }

  func slice(_ range: Range<Int>) -> Region {
    precondition(range.lowerBound >= 0 && range.upperBound <= count, "elements \(range) of \(count)")
    return unsafe Region(base: address(range.lowerBound), count: range.count, kind: kind)
  }

  /// Copies what lies at `other` here; both hold the same number of elements and do not overlap.
  func copy(from other: Region) {
    precondition(count == other.count, "\(other.count) elements to copy into \(count)")
    guard count > 0, let destination = unsafe base, let source = unsafe other.base else { return }
    unsafe destination.copyMemory(from: source, byteCount: count * kind.stride)
  }
}
