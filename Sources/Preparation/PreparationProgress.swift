/// How far the preparation is.
public struct PreparationProgress: Equatable, Sendable {
  public enum Phase: String, Equatable, Sendable {
    /// All rows are read and checked; nothing is written yet.
    case checking
    /// All rows are read again and written.
    case writing
  }

  public var phase: Phase
  /// Bytes of the inputs read in this phase.
  public var bytes: Int
  public var totalBytes: Int
  /// Rows read in this phase.
  public var rows: Int
}
