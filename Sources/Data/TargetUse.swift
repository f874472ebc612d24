/// How a training wants its targets. They come as floats in a buffer, `floatsPerRow` a row.
public enum TargetUse: Equatable, Sendable {
  /// One class index a row, 0 up to `classes`. Stored one-hot rows are turned into indices.
  case classIndex(classes: Int)
  /// `outputs` values a row, each 0 or 1.
  case binary(outputs: Int)
  /// `outputs` finite values a row.
  case values(outputs: Int)
  /// No targets are read.
  case none

  public var floatsPerRow: Int {
    switch self {
    case .classIndex: 1
    case .binary(let outputs), .values(let outputs): outputs
    case .none: 0
    }
  }

  /// More classes than this have no exact index as a 32-bit float.
  public static let mostClasses = 1 << 24

  /// Throws unless the targets of `shard` can serve.
  func check(_ shard: ShardDescription) throws(DataError) {
    guard self != .none else { return }
    guard let name = shard.targets else { throw DataError(.invalid, "'\(shard.path)' was opened without targets") }
    let columns = shard.targetColumns
    func mismatch(_ wanted: String) -> DataError {
      DataError(.invalid, "the targets '\(name)' in '\(shard.path)' have \(columns) values a row; \(wanted)")
    }
    switch self {
    case .none: return
    case .classIndex(let classes):
      guard classes > 0, classes <= Self.mostClasses else {
        throw DataError(.usage, "\(classes) classes; 1 to \(Self.mostClasses) are possible")
      }
      guard columns == 1 || columns == classes else {
        throw mismatch("wanted is 1 class index, or \(classes) values of which one is 1 (one for each class)")
      }
    case .binary(let outputs):
      guard columns == outputs else { throw mismatch("wanted are \(outputs), each 0 or 1") }
    case .values(let outputs):
      guard columns == outputs else { throw mismatch("wanted are \(outputs)") }
    }
  }
}
