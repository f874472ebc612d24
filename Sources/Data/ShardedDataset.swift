import Text

/// The shards of a data set as one run of rows.
public struct ShardedDataset: Sendable {
  public let shards: [ShardDescription]
  public let rows: Int
  /// Feature values in a row.
  public let columns: Int
  /// First row of each shard, and the number of rows behind the last.
  public let firstRows: [Int]
  /// Target values in a row as stored; 0 where no targets were wanted.
  public let targetColumns: Int
  public let manifest: DatasetManifest?
  /// How the rows of each shard become those that are read; empty where they are read as they are stored.
  public let adapters: [RowAdapter]

  /// Checks that the shards belong together. All ranks pass the same descriptions, so that all throw or none does.
  ///
  /// Shards without rows belong to everything.
  /// - Parameters:
  ///   - describedBy: the rank that described each shard, for the message.
  ///   - expectedRows: rows that `dataset.json` says each shard has.
  /// - Throws: `DataError` if a shard could not be described, or with a table, one line a shard, if they disagree.
  public init(
    descriptions: [ShardDescription], describedBy ranks: [Int]? = nil, source: ResolvedSource? = nil
  ) throws(DataError) {
    guard !descriptions.isEmpty else { throw DataError(.missing, "there are no shards") }
    precondition(
      ranks == nil || ranks?.count == descriptions.count,
      "ranks of \(ranks?.count ?? 0) shards of \(descriptions.count)")
    let table = ShardTable(shards: descriptions, ranks: ranks)
    try table.checkFailures()
    try table.checkAgreement()
    if let expected = source?.expectedRows, expected.count == descriptions.count {
      for (shard, rows) in zip(descriptions, expected) where shard.rows != rows {
        throw DataError(
          .invalid,
          "'\(shard.path)' has \(grouped(shard.rows)) rows, \(DatasetManifest.fileName) says \(grouped(rows))",
          hint: "one of the two was changed: prepare the data set anew")
      }
    }
    var firstRows = [0]
    for shard in descriptions {
      let sum = firstRows[firstRows.count - 1].addingReportingOverflow(shard.rows)
      guard !sum.overflow else { throw DataError(.invalid, "the shards have more rows than can be counted") }
      firstRows.append(sum.partialValue)
    }
    // A shard without rows says nothing about a row, unless all are so.
    let model = descriptions.first { $0.rows > 0 } ?? descriptions[0]
    let manifest = source?.manifest
    if let manifest, manifest.columns.count != model.columns {
      throw DataError(
        .invalid,
        "'\(model.path)' has \(grouped(model.columns)) columns, \(DatasetManifest.fileName) names \(grouped(manifest.columns.count))"
      )
    }
    self.shards = descriptions
    self.rows = firstRows[firstRows.count - 1]
    self.firstRows = firstRows
    self.columns = model.columns
    self.targetColumns = model.targetColumns
    self.manifest = manifest
    adapters = []
  }

  /// The rows of several data sets one behind the other, each adapted to the same model. All ranks pass the same.
  ///
  /// A data set may come several times: its rows then do so in every epoch.
  /// - Parameters:
  ///   - parts: at least one.
  ///   - manifest: what the rows are once they are adapted.
  public init(
    joining parts: [(dataset: ShardedDataset, adapter: RowAdapter)], manifest: DatasetManifest?
  ) throws(DataError) {
    precondition(!parts.isEmpty, "data sets to join")
    var (shards, adapters, firstRows): ([ShardDescription], [RowAdapter], [Int]) = ([], [], [0])
    for (dataset, adapter) in parts {
      precondition(
        adapter.columns == parts[0].adapter.columns && adapter.places.count == dataset.columns,
        "rows of \(dataset.columns) columns, adapted from \(adapter.places.count) to \(adapter.columns)")
      for shard in dataset.shards {
        let sum = firstRows[firstRows.count - 1].addingReportingOverflow(shard.rows)
        guard !sum.overflow else { throw DataError(.invalid, "the shards have more rows than can be counted") }
        firstRows.append(sum.partialValue)
        shards.append(shard)
        adapters.append(adapter)
      }
    }
    self.shards = shards
    self.adapters = adapters
    self.firstRows = firstRows
    self.manifest = manifest
    rows = firstRows[firstRows.count - 1]
    columns = parts[0].adapter.columns
    targetColumns = parts[0].dataset.targetColumns
  }

  /// How the rows of `shard` become those that are read; nil where they are read as they are stored.
  func adapter(ofShard shard: Int) -> RowAdapter? { adapters.isEmpty ? nil : adapters[shard] }

  /// Names of the classes in order; empty where no `dataset.json` has them.
  public var classNames: [String] { manifest?.classes ?? [] }

  /// How many classes the targets are of.
  ///
  /// As `dataset.json` says; else one for each column of one-hot targets; else the largest label and one more, for which the
  /// labels must have been scanned.
  /// - Throws: `DataError` if a label is negative or fractional, naming shard and row, or if there are too many classes.
  public func classes() throws(DataError) -> Int {
    if let manifest, case .classification(_, let classes) = manifest.target { return classes.count }
    guard targetColumns <= 1 else { return targetColumns }
    var largest = -1.0
    for shard in shards {
      guard let labels = shard.labels else { continue }
      if let odd = labels.firstOdd {
        throw .label(
          odd.value, row: odd.row, shard: shard.path, allowed: "a class index: 0, 1, 2, ...",
          hint: odd.value == -1
            ? "labels of two classes are 0 and 1, not -1 and 1"
            : "targets that are quantities are for the kinds and losses of regression")
      }
      largest = max(largest, labels.maximum)
    }
    guard largest < Double(TargetUse.mostClasses) else {
      throw DataError(
        .invalid,
        "the largest label is \(DataError.labelText(largest)); labels are class indices below \(TargetUse.mostClasses)")
    }
    return Int(largest) + 1
  }

  /// Throws unless the targets can serve as `use` wants them.
  public func check(_ use: TargetUse) throws(DataError) {
    // Shards without rows may have anything. Those of one data set agree, but several may be joined.
    for shard in adapters.isEmpty ? shards.first(where: { $0.rows > 0 }).map({ [$0] }) ?? [] : shards
    where shard.rows > 0 {
      try use.check(shard)
    }
  }

  /// The shard that `row` lies in and the row there.
  public func place(ofRow row: Int) -> (shard: Int, row: Int) {
    precondition(row >= 0 && row < rows, "row \(row) of \(rows)")
    let shard = lastIndex(in: firstRows, notAbove: row)
    return (shard, row - firstRows[shard])
  }

  /// The shards as the order of samples sees them.
  public var segments: [SampleOrder.Segment] {
    shards.map {
      SampleOrder.Segment(
        rows: $0.rows, blockRows: SampleOrder.blockRows(columns: columns, chunkRows: $0.chunkRows))
    }
  }

  /// The order in which a training over `virtualRanks` virtual ranks visits the rows.
  public func order(virtualRanks: Int, seed: UInt64, shuffle: Bool) -> SampleOrder {
    SampleOrder(segments: segments, columns: columns, virtualRanks: virtualRanks, seed: seed, shuffle: shuffle)
  }
}
