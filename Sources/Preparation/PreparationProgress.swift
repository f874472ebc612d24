/// How far the part of a preparation is that one rank does.
public struct PreparationProgress: Equatable, Sendable {
  public enum Phase: String, Equatable, Sendable {
    /// All rows are read and checked; nothing is written yet.
    case checking
    /// The shards are written.
    case writing
  }

  public var phase: Phase
  /// Bytes of the inputs read in this phase, or of the rows written.
  public var bytes: Int
  public var totalBytes: Int
  /// Rows read or written in this phase.
  public var rows: Int
}
