/// A call that changed the file system, or may have: what a `FaultPlan` that records notes, for tests that make up what a crash leaves.
package enum FileOperation: Equatable, Sendable {
  /// A file was opened for writing.
  case open(descriptor: Int32, path: String, creates: Bool, empties: Bool)
  case openDirectory(descriptor: Int32, path: String)
  case close(descriptor: Int32)
  /// Bytes were written, at an offset or behind what was written before.
  case write(descriptor: Int32, offset: Int?, bytes: [UInt8])
  case truncate(descriptor: Int32, bytes: Int)
  case synchronize(descriptor: Int32)
  case makeDirectory(String)
  case rename(String, to: String)
  case remove(String)
  case removeDirectory(String)
}
