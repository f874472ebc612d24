import Glibc

/// Zeroed memory of its own pages: it costs nothing until it is written, and all of it goes back to the system with the object.
///
/// For a buffer that is large and short-lived beside others: `FloatBuffer(sharing: PageMemory(count: n))`. What a heap gets
/// back it keeps.
@safe public final class PageMemory: FloatMemory {
  private static let largePage = 2 << 20

  private let base: UnsafeMutableRawPointer
  private let bytes: Int
  private let count: Int

  /// Takes pages for `count` floats.
  ///
  /// Ends the program with a message (`MemoryShortage`) where the system has no memory left: a plan that does not fit is to be found
  /// before.
  public init(count: Int) {
    precondition(count > 0 && count <= Int.max / 8, "pages for \(count) elements")
    var bytes = count * MemoryLayout<Float>.stride
    // Whole large pages: the system lays what is of less across their borders.
    if bytes >= Self.largePage { bytes = (bytes + Self.largePage - 1) / Self.largePage * Self.largePage }
    let memory = unsafe mmap(nil, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
    guard let memory = unsafe memory, unsafe memory != MAP_FAILED else { MemoryShortage.raise(bytes) }
    // Large pages where the system has them: a tenth of the interruptions. A hint.
    _ = unsafe madvise(memory, bytes, MADV_HUGEPAGE)
    unsafe base = memory
    self.bytes = bytes
    self.count = count
  }

  deinit { unsafe munmap(base, bytes) }

  @safe public var floatMemory: UnsafeMutableBufferPointer<Float> {
    unsafe UnsafeMutableBufferPointer(start: base.bindMemory(to: Float.self, capacity: count), count: count)
  }
}
