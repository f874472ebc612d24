import HDF5

extension ShardedDataset {
  /// Whether the targets are stored as whole numbers, which stand for classes unless a job says otherwise.
  public var hasIntegerTargets: Bool {
    switch (shards.first { $0.rows > 0 } ?? shards[0]).targetType {
    case .int8, .int16, .int32, .int64, .uint8, .uint16, .uint32, .uint64: true
    default: false
    }
  }
}
