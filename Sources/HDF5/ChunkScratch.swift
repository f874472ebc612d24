import Synchronization

/// Memory for the decoding of one chunk: as it is stored, as it is inflated, and zlib's state.
///
/// There are as many as chunks are ever decoded at the same time, however many data sets are open.
final class ChunkScratch: @unchecked Sendable {
  var stored: [UInt8] = []
  var inflated: [UInt8] = []
  var inflater = Inflater()

  private init() {}

  /// Those that nobody uses now.
  private static let idle = Mutex<[ChunkScratch]>([])

  /// Calls `body` with one that nobody else uses.
  static func use<Result>(_ body: (ChunkScratch) -> Result) -> Result {
    let scratch = idle.withLock { $0.popLast() } ?? ChunkScratch()
    defer { idle.withLock { $0.append(scratch) } }
    return body(scratch)
  }

  /// Makes `buffer` hold at least `count` bytes.
  static func grow(_ buffer: inout [UInt8], to count: Int) {
    if buffer.count < count { buffer = [UInt8](repeating: 0, count: count) }
  }
}
