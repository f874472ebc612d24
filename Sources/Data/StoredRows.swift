/// Reads rows of a data set in their order as they are stored, in full precision: nothing is transformed or refused.
///
/// Used by one thread at a time.
public final class StoredRows {
  public let dataset: ShardedDataset
  private let files: ShardFiles

  /// - Parameter dataset: opened with its targets if they are to be read.
  public init(_ dataset: ShardedDataset) {
    self.dataset = dataset
    files = ShardFiles(dataset: dataset, needsTargets: dataset.targetColumns > 0)
  }

  /// The features of `rows`, row-major, and their targets, `dataset.targetColumns` a row.
  public func read(_ rows: Range<Int>) throws(DataError) -> (features: [Double], targets: [Double]) {
    precondition(rows.lowerBound >= 0 && rows.upperBound <= dataset.rows, "rows \(rows) of \(dataset.rows)")
    var features = [Double](repeating: 0, count: rows.count * dataset.columns)
    var targets = [Double](repeating: 0, count: rows.count * dataset.targetColumns)
    var done = 0
    while done < rows.count {
      let (shard, first) = dataset.place(ofRow: rows.lowerBound + done)
      let count = min(rows.count - done, dataset.shards[shard].rows - first)
      let open = try files.shard(shard)
      try open.features.read(first..<first + count, into: &features, from: done * dataset.columns)
      try open.targets?.read(first..<first + count, into: &targets, from: done * dataset.targetColumns)
      done += count
    }
    return (features, targets)
  }

  /// The shard and the row there of a row of the data set, for messages.
  public func name(ofRow row: Int) -> String {
    let (shard, place) = dataset.place(ofRow: row)
    return "row \(place) of '\(dataset.shards[shard].path)'"
  }
}
