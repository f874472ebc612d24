import CRelaxed
import Glibc

/// A run of floats on the heap: 64-byte aligned, zeroed when made, with a fixed count.
///
/// The storage does not move when the value moves. A buffer may also be a window into memory that somebody else owns
/// (`init(sharing:)`), for example memory that the ranks of a node share.
@safe public struct FloatBuffer: ~Copyable {
  /// Number of elements.
  public let count: Int
  let base: UnsafeMutablePointer<Float>
  /// Keeps foreign memory alive; `nil` where the buffer allocated its own.
  private let owner: AnyObject?

  /// Vector loops and BLAS kernels like their operands on a cache line.
  private static let alignment = 64

  /// Makes `count` zeros.
  ///
  /// Ends the program with a message (`MemoryShortage`) where the memory is not there: a plan that does not fit is to be
  /// found before.
  public init(count: Int) {
    precondition(count >= 0 && count <= Int.max / 8, "a buffer of \(count) elements")
    // Rounded up to whole cache lines, so that two buffers never share one.
    let bytes = (max(count, 1) * MemoryLayout<Float>.stride + Self.alignment - 1) & ~(Self.alignment - 1)
    guard let memory = unsafe aligned_alloc(Self.alignment, bytes) else { MemoryShortage.raise(bytes) }
    unsafe memset(memory, 0, bytes)
    self.count = count
    unsafe base = memory.bindMemory(to: Float.self, capacity: bytes / MemoryLayout<Float>.stride)
    owner = nil
  }

  /// Makes room for `count` elements; where there was less, what was there is lost.
  public mutating func reserve(_ count: Int) {
    if self.count < count { self = FloatBuffer(count: count) }
  }

  /// Makes a buffer that holds `values`.
  public init(_ values: [Float]) {
    self.init(count: values.count)
    copy(from: values, at: 0)
  }

  /// Makes a buffer over the memory of `owner`, which is kept alive as long as the buffer lives and is not zeroed.
  public init(sharing owner: some FloatMemory) {
    let memory = owner.floatMemory
    count = memory.count
    // A window without elements may have no address; any aligned one does, since nothing is read there.
    unsafe base =
      memory.baseAddress ?? UnsafeMutablePointer(bitPattern: Self.alignment).unsafelyUnwrapped
    self.owner = owner
  }

  deinit {
    if owner == nil { unsafe free(base) }
  }

  /// All elements, to read.
  public var span: Span<Float> {
    @_lifetime(borrow self)
    borrowing get {
      let span = unsafe Span(_unsafeStart: base, count: count)
      return unsafe _overrideLifetime(span, borrowing: self)
    }
  }

  /// All elements, to read and write.
  public var mutableSpan: MutableSpan<Float> {
    @_lifetime(&self)
    mutating get {
      let span = unsafe MutableSpan(_unsafeStart: base, count: count)
      return unsafe _overrideLifetime(span, mutating: &self)
    }
  }

  /// One element, checked; for loops use a span.
  public subscript(index: Int) -> Float {
    get {
      precondition(index >= 0 && index < count, "element \(index) of \(count)")
      return unsafe base[index]
    }
    set {
      precondition(index >= 0 && index < count, "element \(index) of \(count)")
      unsafe base[index] = newValue
    }
  }

  /// A copy of the elements in `range`; of all without one.
  public func values(in range: Range<Int>? = nil) -> [Float] {
    let range = range ?? 0..<count
    check(range)
    return unsafe Array(UnsafeBufferPointer(start: base + range.lowerBound, count: range.count))
  }

  /// Copies the elements of `source` in `range` (all without one) to `offset` and what follows.
  public mutating func copy(from source: borrowing FloatBuffer, range: Range<Int>? = nil, to offset: Int = 0) {
    let range = range ?? 0..<source.count
    source.check(range)
    check(offset: offset, count: range.count)
    unsafe (base + offset).update(from: source.base + range.lowerBound, count: range.count)
  }

  /// Copies `values` to `offset` and what follows.
  public mutating func copy(from values: [Float], at offset: Int = 0) {
    check(offset: offset, count: values.count)
    unsafe values.withUnsafeBufferPointer { source in
      guard let start = source.baseAddress else { return }
      unsafe (base + offset).update(from: start, count: source.count)
    }
  }

  /// Moves the elements in `range` to `offset` and what follows, within the buffer; the two places may overlap.
  public mutating func move(range: Range<Int>, to offset: Int) {
    check(range)
    check(offset: offset, count: range.count)
    unsafe (base + offset).update(from: base + range.lowerBound, count: range.count)
  }

  /// Exchanges the elements in `range` with those of `other` from `offset` on.
  public mutating func exchange(_ range: Range<Int>, with other: inout FloatBuffer, at offset: Int) {
    check(range)
    other.check(offset: offset, count: range.count)
    let (own, its) = unsafe (base + range.lowerBound, other.base + offset)
    for index in 0..<range.count { unsafe (own[index], its[index]) = (its[index], own[index]) }
  }

  /// Sets the elements in `range` to `value`; all without a range.
  public mutating func fill(_ range: Range<Int>? = nil, with value: Float) {
    let range = range ?? 0..<count
    check(range)
    unsafe (base + range.lowerBound).update(repeating: value, count: range.count)
  }

  /// Asks for elements that are about to be used, the first of them where they are many and those that there are: a hint.
  /// - Parameter writing: they will be written, and others, who may have them in their caches, lose them.
  public func prefetch(_ range: Range<Int>, writing: Bool = false) {
    let range = range.clamped(to: 0..<count)
    unsafe apus_prefetch(base + range.lowerBound, min(range.count, Self.mostPrefetched), writing ? 1 : 0)
  }

  /// 64 KiB: what follows finds them in the second cache, with what was there.
  private static let mostPrefetched = 16384

  /// Stops the program unless `range` lies within the buffer: our bug.
  func check(_ range: Range<Int>) {
    precondition(range.lowerBound >= 0 && range.upperBound <= count, "elements \(range) of \(count)")
  }

  /// Stops the program unless `elements` elements from `offset` on lie within the buffer: our bug.
  func check(offset: Int, count elements: Int) {
    precondition(
      offset >= 0 && elements >= 0 && elements <= count - offset, "\(elements) elements at \(offset) of \(count)")
  }
}

// One owner, plain memory: a buffer may move to another thread. (Foreign memory is its owner's promise: `FloatMemory`.)
extension FloatBuffer: @unchecked Sendable {}

/// Memory for floats that an object owns and a `FloatBuffer` may be made over.
public protocol FloatMemory: AnyObject {
  /// The floats: same address and count as long as the object lives, not written by this process through another way
  /// while a buffer over them is in use.
  @safe var floatMemory: UnsafeMutableBufferPointer<Float> { get }
}
